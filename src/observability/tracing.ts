// Traces of this process: which requests have one, and where their spans go.

import { hostname } from 'node:os';
import type { TracingSettings } from '../model/tracing.ts';
import type { Log } from './log.ts';
import { readContext, type RemoteContext } from './trace-context.ts';
import { SpanQueue } from './trace-export.ts';
import { loadCollector } from './trace-exporter.ts';
import type { Span, SpanHome } from './trace-span.ts';

export interface Tracing extends SpanHome {
  readonly settings: TracingSettings;
  /** Whether a request without its client's decision is traced. */
  chooses(): boolean;
  contextOf(headers: readonly string[]): RemoteContext | null;
  /** Milliseconds are the most it takes. */
  flush(timeout: number): Promise<void>;
  close(timeout: number): Promise<void>;
  /** Spans that never reached the collector. */
  readonly dropped: number;
}

/** Loads nothing of the exporters before the first span leaves. */
export function createTracing(settings: TracingSettings, log: Log): Tracing {
  const queue = new SpanQueue(() => loadCollector(settings.collector), log);
  const { sampleRate, propagators } = settings;
  return {
    settings,
    resource: resourceOf(settings.resource),
    instrumentationScope: { name: 'portcullis' },
    chooses: () => sampleRate >= 1 || Math.random() < sampleRate,
    contextOf: (headers) => readContext(headers, propagators),
    take: (span: Span) => queue.take(span),
    flush: (timeout) => queue.flush(timeout),
    close: (timeout) => queue.close(timeout),
    get dropped() {
      return queue.dropped;
    },
  };
}

function resourceOf(written: Readonly<Record<string, string>>): SpanHome['resource'] {
  const attributes = {
    'host.name': hostname(),
    'process.pid': process.pid,
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    ...written,
  };
  // Not OpenTelemetry's own class, which would have to be loaded before the first request.
  const resource: SpanHome['resource'] = {
    attributes,
    asyncAttributesPending: false,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
