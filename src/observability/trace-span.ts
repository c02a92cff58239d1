// One span: what was done, when, as part of what. In the form the exporters of OpenTelemetry read.

import type { Attributes, AttributeValue, HrTime, SpanContext, TraceState } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { newSpanId } from './trace-context.ts';

export type SpanKind = 'internal' | 'server' | 'client';

/** Longest text of one attribute, in characters: clients write some of them. */
const maxText = 1024;

/** What all spans of this process have in common. */
export interface SpanHome {
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  /** Takes a span that has ended. */
  take(span: Span): void;
}

/** Of which trace a span is part. */
export interface SpanPlace {
  readonly traceId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  /** The parent is on another machine. */
  readonly isRemote: boolean;
  /** Value of tracestate, or empty. */
  readonly state: string;
}

export interface SpanBegin {
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds of `performance.now()`. */
  readonly startedAt: number;
}

// As OpenTelemetry numbers them; its enumerations would have to be loaded for this.
const kinds = { internal: 0, server: 1, client: 2 } as const;
const sampledFlag = 1;
const errorCode = 2;

/** Running from its making until `end`, which hands it to its home. */
export class Span implements ReadableSpan {
  readonly name: string;
  readonly kind: ReadableSpan['kind'];
  readonly spanId: string = newSpanId();
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  duration: HrTime = [0, 0];
  status: { code: ReadableSpan['status']['code']; message?: string } = { code: 0 };
  readonly attributes: Attributes = {};
  readonly links: ReadableSpan['links'] = [];
  readonly events: ReadableSpan['events'] = [];
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  ended = false;
  readonly #home: SpanHome;
  readonly #place: SpanPlace;
  readonly #startedAt: number;

  constructor(home: SpanHome, place: SpanPlace, { name, kind, startedAt }: SpanBegin) {
    this.#home = home;
    this.#place = place;
    this.#startedAt = startedAt;
    this.name = name;
    this.kind = kinds[kind];
    const { parentId, isRemote } = place;
    if (parentId !== '') this.parentSpanContext = { ...this.#contextOf(parentId), isRemote };
    this.startTime = timeOf(performance.timeOrigin + startedAt);
  }

  get resource(): ReadableSpan['resource'] {
    return this.#home.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#home.instrumentationScope;
  }

  readonly spanContext = (): SpanContext => this.#contextOf(this.spanId);

  set(name: string, value: AttributeValue): void {
    this.attributes[name] = typeof value === 'string' ? cut(value) : value;
  }

  /** `type`: a code of ours, not a stranger's words. */
  fail(type: string | null): void {
    this.status = { code: errorCode };
    if (type !== null) this.attributes['error.type'] = type;
  }

  /** Once; later calls change nothing. */
  end(now: number = performance.now()): void {
    if (this.ended) return;
    this.ended = true;
    this.endTime = timeOf(performance.timeOrigin + now);
    this.duration = timeOf(now - this.#startedAt);
    this.#home.take(this);
  }

  #contextOf(spanId: string): SpanContext {
    const { traceId, state } = this.#place;
    const context = { traceId, spanId, traceFlags: sampledFlag };
    return state === '' ? context : { ...context, traceState: asTraceState(state) };
  }
}

/** Its first 1,024 characters, and a mark where there are more. */
export function cut(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText)}...`;
}

/** It is only passed on, never edited. */
function asTraceState(text: string): TraceState {
  const state: TraceState = {
    get: () => undefined,
    set: () => state,
    unset: () => state,
    serialize: () => text,
  };
  return state;
}

function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
