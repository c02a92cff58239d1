// The spans of one Exchange: entry point, router, middlewares, service, and each call to a server or auth server.
// A request that is not traced has none of these objects: `x.trace` stays null.

import type { RemoteContext } from '../observability/trace-context.ts';
import { newTraceId, writeContext, writeUnsampled } from '../observability/trace-context.ts';
import { Span, type SpanKind } from '../observability/trace-span.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { Exchange } from './exchange.ts';
import type { HeaderList } from './headers.ts';
import type { Route } from './runtime/route.ts';
import { describeAnswer, describeClient, describeServer } from './trace-attributes.ts';

/** Spans of one Exchange; those of further attempts are left out. */
const maxSpans = 200;

/** What a route says about its traces; worked out at load. */
export interface TracedRoute {
  readonly rule: string;
  readonly isDetailed: boolean;
  /** In the order of the hooks. */
  readonly middlewares: readonly { readonly name: string; readonly type: string }[];
}

/** Begins the trace of `x`, if it has one. `route` is null when none matched. */
export function beginTrace(tracing: Tracing, x: Exchange, route: Route | null): void {
  const traced = route === null ? null : (route.traced ?? null);
  if (route === null ? x.entryPoint.spec.tracing === false : traced === null) return;
  const { settings } = tracing;
  if (route !== null && !settings.addInternals && route.service.name.endsWith('@internal')) return;
  const remote = tracing.contextOf(x.headers);
  if (remote?.sampled ?? tracing.chooses()) {
    x.trace = new ExchangeTrace(tracing, { x, remote, route, traced });
    return;
  }
  // A client's own "no" is passed on as it came.
  if (remote?.sampled !== false) writeUnsampled(x.headers, settings.propagators);
}

/** One call on the wire. */
export interface CallTrace {
  answered(status: number, headers: readonly string[]): void;
  /** `code` is one of ours. */
  failed(code: string): void;
}

interface Begun {
  readonly x: Exchange;
  readonly remote: RemoteContext | null;
  readonly route: Route | null;
  readonly traced: TracedRoute | null;
}

interface OpenSpan {
  readonly span: Span;
  /** Place of the middleware; the service is behind all of them. */
  readonly depth: number;
}

/** At most 200 spans, which end with the Exchange at the latest; calls alone may outlive it. */
export class ExchangeTrace {
  readonly traceId: string;
  /** Of the first span. */
  readonly spanId: string;
  readonly #tracing: Tracing;
  readonly #state: string;
  readonly #root: Span;
  readonly #traced: TracedRoute | null;
  /** Around what runs now, the outermost first. */
  readonly #open: OpenSpan[] = [];
  #upstream: Call | null = null;
  #spans = 1;

  constructor(tracing: Tracing, { x, remote, route, traced }: Begun) {
    this.#tracing = tracing;
    const hasParent = remote !== null && remote.traceId !== '';
    this.traceId = hasParent ? remote.traceId : newTraceId();
    this.#state = remote?.state ?? '';
    const parentId = hasParent ? remote.spanId : '';
    const place = { traceId: this.traceId, parentId, isRemote: true, state: this.#state };
    const begin = { name: 'EntryPoint', kind: 'server', startedAt: x.startedAt } as const;
    this.#root = new Span(tracing, place, begin);
    this.spanId = this.#root.spanId;
    this.#traced = traced;
    describeServer(this.#root, x, tracing.settings);
    if (route === null || traced === null) return;
    this.#root.set('http.route', traced.rule);
    if (!traced.isDetailed) return;
    const span = this.#child('Router', 'internal');
    span.set('traefik.service.name', route.service.name);
    span.set('traefik.router.name', route.name);
    span.set('http.route', traced.rule);
    this.#open.push({ span, depth: -1 });
  }

  get isDetailed(): boolean {
    return this.#traced?.isDetailed === true;
  }

  /** The middleware at `depth` runs now, and around all that lies further in. Only with details. */
  enter(depth: number): void {
    const middleware = this.#traced?.middlewares[depth];
    if (middleware === undefined || this.#spans >= maxSpans) return;
    const span = this.#child(middleware.type, 'internal');
    span.set('traefik.middleware.name', middleware.name);
    this.#open.push({ span, depth });
  }

  /** Only with details. */
  enterService(name: string): void {
    const isKnown = this.#open.at(-1)?.depth === Number.POSITIVE_INFINITY;
    if (isKnown || this.#spans >= maxSpans) return;
    const span = this.#child('Service', 'internal');
    span.set('traefik.service.name', name);
    this.#open.push({ span, depth: Number.POSITIVE_INFINITY });
  }

  /** What lies further in than `depth` runs again. */
  leave(depth: number): void {
    this.#upstream?.failed('dropped');
    while ((this.#open.at(-1)?.depth ?? -1) > depth) this.#open.pop()?.span.end();
  }

  /** A request to `x.server` with `headers`, which get the trace's context. One before it has failed. */
  ask(x: Exchange, headers: HeaderList): void {
    this.#upstream?.failed('repeated');
    this.#upstream = null;
    const { server } = x;
    if (server === null) return;
    const target = { method: x.method, url: server.url, target: server.path + x.path + x.search };
    this.#upstream = this.call('ReverseProxy', target, headers);
  }

  /** The server asked last has answered. */
  answered(status: number, headers: readonly string[]): void {
    this.#upstream?.answered(status, headers);
  }

  failed(code: string): void {
    this.#upstream?.failed(code);
  }

  /** May outlive the Exchange. */
  call(
    name: string,
    to: { readonly method: string; readonly url: string; readonly target: string },
    headers: HeaderList,
  ): Call {
    const { settings } = this.#tracing;
    const span = this.#spans < maxSpans ? this.#child(name, 'client') : null;
    const spanId = span?.spanId ?? this.spanId;
    writeContext(headers, { traceId: this.traceId, spanId, state: this.#state }, settings.propagators);
    if (span !== null) describeClient(span, to, headers, settings);
    return new Call(this.#tracing, span);
  }

  /** Once, at the end of the Exchange. */
  finish(x: Exchange): void {
    const now = performance.now();
    // A tunnel, or an answer that never came.
    if (x.originStatus > 0) this.#upstream?.answered(x.originStatus, x.originHeaders ?? []);
    else this.#upstream?.failed(x.error?.code ?? 'client.gone');
    for (let i = this.#open.length - 1; i >= 0; i--) this.#open[i]?.span.end(now);
    describeAnswer(this.#root, x.status, x.responseHeaders, {
      settings: this.#tracing.settings,
      firstError: 500,
    });
    if (x.error !== null) this.#root.set('error.type', x.error.code);
    this.#root.end(now);
  }

  #child(name: string, kind: SpanKind): Span {
    this.#spans++;
    const parent = this.#open.at(-1)?.span ?? this.#root;
    const place = { traceId: this.traceId, parentId: parent.spanId, isRemote: false, state: this.#state };
    return new Span(this.#tracing, place, { name, kind, startedAt: performance.now() });
  }
}

class Call implements CallTrace {
  readonly #tracing: Tracing;
  /** Null once it has ended, or when there are too many. */
  #span: Span | null;

  constructor(tracing: Tracing, span: Span | null) {
    this.#tracing = tracing;
    this.#span = span;
  }

  answered(status: number, headers: readonly string[]): void {
    const span = this.#span;
    if (span === null) return;
    this.#span = null;
    describeAnswer(span, status, headers, { settings: this.#tracing.settings, firstError: 400 });
    span.end();
  }

  failed(code: string): void {
    const span = this.#span;
    this.#span = null;
    span?.fail(code);
    span?.end();
  }
}
