// The exporters of OpenTelemetry, loaded when the first spans leave: without traces nobody pays for them.

import type { Agent } from 'node:http';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { CollectorSettings, CollectorTls } from '../model/tracing.ts';
import type { Collector } from './trace-export.ts';
import type { Span } from './trace-span.ts';

/** Milliseconds one batch may take, attempts included. */
const exportTimeout = 10_000;

/** Rejects when key or certificates are of no use. */
export async function loadCollector(settings: CollectorSettings): Promise<Collector> {
  return settings.protocol === 'http' ? loadHttp(settings) : loadGrpc(settings);
}

/** In Protocol Buffers, as every collector understands it; JSON is the form that some leave out. */
async function loadHttp({ url, headers, tls }: CollectorSettings): Promise<Collector> {
  const [base, { convertLegacyHttpOptions, createOtlpHttpExportDelegate }, transformer] = await Promise.all([
    import('@opentelemetry/otlp-exporter-base'),
    import('@opentelemetry/otlp-exporter-base/node-http'),
    import('@opentelemetry/otlp-transformer'),
  ]);
  const { Agent } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 2, ...(tls === null ? {} : agentTls(tls)) });
  const written = {
    url,
    headers: { ...headers },
    timeoutMillis: exportTimeout,
    httpAgentOptions: () => agent,
  };
  const type = { 'Content-Type': 'application/x-protobuf' };
  const { ProtobufTraceSerializer, TraceExporterMetricsHelper } = transformer;
  const delegate = createOtlpHttpExportDelegate(
    convertLegacyHttpOptions(written, 'TRACES', 'v1/traces', type),
    ProtobufTraceSerializer,
    'otlp_http_span_exporter',
    TraceExporterMetricsHelper,
    undefined,
  );
  return new Exporting(new base.OTLPExporterBase(delegate), agent);
}

async function loadGrpc({ url, headers, tls }: CollectorSettings): Promise<Collector> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
  const { credentials, Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const { ca = null, cert = null, key = null, rejectUnauthorized = true } = tls === null ? {} : agentTls(tls);
  const secure = url.startsWith('http://')
    ? credentials.createInsecure()
    : credentials.createSsl(ca, key, cert, { rejectUnauthorized });
  return new Exporting(
    new OTLPTraceExporter({ url, metadata, credentials: secure, timeoutMillis: exportTimeout }),
    null,
  );
}

class Exporting implements Collector {
  readonly #exporter: SpanExporter;
  /** Null: the exporter ends its connections itself. */
  readonly #agent: Agent | null;

  constructor(exporter: SpanExporter, agent: Agent | null) {
    this.#exporter = exporter;
    this.#agent = agent;
  }

  send(spans: Span[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#exporter.export(spans, ({ code, error }) => {
        if (code === 0) resolve();
        else reject(error ?? new Error('the collector refused them'));
      });
    });
  }

  close(): void {
    // An exporter waits for what is on its way, which an answer that never ends would make for ever.
    this.#agent?.destroy();
    this.#exporter.shutdown().catch(() => {});
  }
}

interface AgentTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized: boolean;
}

function agentTls({ ca, cert, key, insecureSkipVerify }: CollectorTls): AgentTls {
  return {
    ...(ca === '' ? {} : { ca: Buffer.from(ca) }),
    ...(cert === '' ? {} : { cert: Buffer.from(cert) }),
    ...(key === '' ? {} : { key: Buffer.from(key) }),
    rejectUnauthorized: !insecureSkipVerify,
  };
}
