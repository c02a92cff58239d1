// One request and its answer, from intake to end. One class, fields in fixed order, so that every hook
// reads the same hidden class.

import type { TlsFacts } from '../observability/access-record.ts';
import type { Histogram } from '../observability/instruments.ts';
import type { RequestBody } from './body.ts';
import type { Downstream } from './downstream.ts';
import type { GatewayError } from './errors.ts';
import type { AnswerNote, AnswerTaker, DivertedAnswer, EndTask, Running } from './exchange-work.ts';
import { getHeader, type HeaderList } from './headers.ts';
import type { Filter } from './filters.ts';
import { ANSWERED } from './hooks.ts';
import type { EntryPoint } from './entrypoints/entry-point.ts';
import type { Route } from './runtime/route.ts';
import type { Server } from './services/server.ts';
import type { ExchangeTrace } from './tracing.ts';
import { AnswerKeeper } from './upstream/answer-keeper.ts';

export class Exchange {
  readonly entryPoint: EntryPoint;
  /** The listener's side; with filters, the first of them once the head has left. */
  downstream: Downstream;

  // --- the request, as the next room will see it ---
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As the access log names it; the listener's to say. */
  protocol = 'HTTP/1.1';
  /** The Host header as the client sent it, port included; sent upstream with passHostHeader. */
  authority: string;
  /** `authority` as it was at intake, for the log. */
  readonly requestAuthority: string;
  /** Lower case, without port, brackets and final dot: what rules compare. */
  readonly host: string;
  /** Escaped, normalised and sanitised; begins with `/`. Middlewares rewrite it. */
  path: string;
  /** `path` as it was at intake, for the log. */
  readonly requestPath: string;
  /** What path rules compare: `path` with all but reserved escapes decoded. Fixed at intake. */
  readonly routePath: string;
  /** `?a=b`, or empty. */
  search: string;
  /** Names in lower case; hop-by-hop, nominated and spoofed identity headers are gone already. */
  readonly headers: HeaderList;
  /** IP of the TCP peer, text form; a PROXY header is never read. */
  readonly peer: string;
  /** The peer's X-Forwarded-* headers were kept. */
  readonly trusted: boolean;
  /** The first X-Forwarded-For line at intake, for the log; null unless the peer is trusted. */
  readonly forwardedFor: string | null;
  /** A WebSocket handshake. */
  readonly isUpgrade: boolean;
  /** Null when the request has none. A middleware that has read it puts what it kept in its place. */
  body: RequestBody | null;

  /** DER, the client's own first, verified by the listener; null when its engine has none to give. */
  clientCertificates: readonly Uint8Array[] | null = null;

  /** The peer is not appended to X-Forwarded-For on the way upstream. */
  dropForwardedFor = false;

  // --- where it goes ---
  route: Route | null = null;
  server: Server | null = null;
  /** Middlewares whose request hook has run; response hooks run for these, last first. */
  depth = 0;
  /** Set-Cookie lines that pin the client to `server`; null when it is pinned already. */
  stickyCookies: string[] | null = null;
  /** Who wants to see the server's answer, head and status; null for nobody. */
  answerNotes: AnswerNote[] | null = null;
  /** What can still be called off when the client goes away. */
  running: Running | null = null;
  /** Attempts at a server beyond the first, by whomever. */
  retries = 0;

  // --- the answer ---
  status = 0;
  responseHeaders: HeaderList = [];
  /** Body of an answer made inside the gateway; null while a server's is streamed. */
  answerBody: string | Uint8Array = '';
  /** What the server says behind the body, known at its end at the latest; null for nothing. */
  trailers: HeaderList | null = null;
  /** What changes the body on its way out, the innermost first; null for nothing. */
  filters: Filter[] | null = null;
  /** The head is on its way to the client: nothing can be changed any more. */
  headSent = false;
  /** Set once, by the end of the Exchange. */
  ended = false;
  /** Why there is no ordinary answer. */
  error: GatewayError | null = null;

  // --- for the log ---
  /** `performance.now()` at intake. */
  readonly startedAt: number;
  /** Milliseconds spent with the server, -1 when none was asked. */
  originMs = -1;
  originStatus = 0;
  /** The server's headers before any response hook; null unless the entry point keeps them. */
  originHeaders: HeaderList | null = null;
  /** Body bytes. */
  bytesIn = 0;
  bytesOut = 0;
  /** Body bytes before the filters; -1 without any. */
  originBytes = -1;
  /** Of its connection, for access log and metrics; null on cleartext and where the engine does not say. */
  tls: TlsFacts | null = null;
  /** Where its whole time is counted for forwardAuth; null for nowhere. */
  authTimes: Histogram | null = null;
  /** Its spans; null for a request that is not traced. */
  trace: ExchangeTrace | null = null;
  /** Who the request is from, for the access log only. */
  username: string | null = null;
  /** Facts a middleware keeps between its own hooks, by the index its build was given. */
  slots: unknown[] | null = null;
  /** What services want done once the Exchange is over; null for nothing. */
  endTasks: EndTask[] | null = null;

  constructor(request: ExchangeRequest) {
    this.entryPoint = request.entryPoint;
    this.downstream = request.downstream;
    this.method = request.method;
    this.scheme = request.scheme;
    this.authority = request.authority;
    this.requestAuthority = request.authority;
    this.host = request.host;
    this.path = request.path;
    this.requestPath = request.path;
    this.routePath = request.routePath;
    this.search = request.search;
    this.headers = request.headers;
    this.peer = request.peer;
    this.trusted = request.trusted;
    this.forwardedFor = request.trusted ? getHeader(request.headers, 'x-forwarded-for') : null;
    this.isUpgrade = request.isUpgrade;
    this.body = request.body;
    this.startedAt = request.startedAt;
  }

  /**
   * Answers from inside the gateway; a request hook returns what this returns.
   * `headers` becomes the Exchange's own and may be edited by response hooks. Filters of an answer that this
   * one replaces are gone.
   */
  answer(status: number, headers: HeaderList, body: string | Uint8Array): typeof ANSWERED {
    this.status = status;
    this.responseHeaders = headers;
    this.answerBody = body;
    this.trailers = null;
    this.filters = null;
    return ANSWERED;
  }

  /** A fact of one middleware about this request; undefined until `keepFact`. */
  fact<T>(slot: number): T | undefined {
    return this.slots === null ? undefined : (this.slots[slot] as T | undefined);
  }

  keepFact(slot: number, value: unknown): void {
    this.slots ??= [];
    this.slots[slot] = value;
  }

  /** For a middleware that may say RETRY: the request as it stands before what lies further in. */
  rememberRequest(): RequestState {
    const { path, search, authority, dropForwardedFor } = this;
    return { path, search, authority, dropForwardedFor, headers: this.headers.slice() };
  }

  restoreRequest(state: RequestState): void {
    this.path = state.path;
    this.search = state.search;
    this.authority = state.authority;
    this.dropForwardedFor = state.dropForwardedFor;
    this.headers.length = 0;
    for (const text of state.headers) this.headers.push(text);
  }

  /** Changes the body on its way out: within a response hook. */
  addFilter(filter: Filter): void {
    this.filters ??= [];
    this.filters.push(filter);
  }

  pinBy(setCookie: string): void {
    this.stickyCookies ??= [];
    this.stickyCookies.push(setCookie);
  }

  /** `note` hears of the server's answer, before any response hook; not of one the gateway makes itself. */
  noteAnswer(note: AnswerNote): void {
    this.answerNotes ??= [];
    this.answerNotes.push(note);
  }

  /** `task` runs once, when the Exchange is over; the same one twice counts once. */
  atEnd(task: EndTask): void {
    if (this.endTasks === null) this.endTasks = [task];
    else if (!this.endTasks.includes(task)) this.endTasks.push(task);
  }

  /**
   * Within a response hook: the whole body of the answer at hand, whoever made it. Null when it is longer than
   * `maxBytes`; rejects with the server's error.
   */
  collectAnswer(maxBytes: number): Promise<Uint8Array | null> {
    const keeper = new AnswerKeeper(maxBytes, { cancel: () => stream?.cancel() });
    const stream = this.divertAnswer(keeper);
    if (stream !== null) return keeper.whole;
    const body = typeof this.answerBody === 'string' ? Buffer.from(this.answerBody) : this.answerBody;
    return Promise.resolve(body.length > maxBytes ? null : body);
  }

  /**
   * Within a response hook that returns a promise: the body of the streamed answer at hand goes to `taker`, piece
   * by piece. Null when there is no stream: the answer is whole, in `answerBody`.
   */
  divertAnswer(taker: AnswerTaker): DivertedAnswer | null {
    return this.running?.divert?.(taker) ?? null;
  }

  /** Back to before the answer. */
  forgetAnswer(): void {
    this.server = null;
    this.stickyCookies = null;
    this.answerNotes = null;
    this.running = null;
    this.status = 0;
    this.responseHeaders = [];
    this.answerBody = '';
    this.trailers = null;
    this.filters = null;
    this.error = null;
    this.originStatus = 0;
    this.originHeaders = null;
    this.originMs = -1;
    this.bytesOut = 0;
  }
}

/** What middlewares change of a request on its way in. */
export interface RequestState {
  readonly path: string;
  readonly search: string;
  readonly authority: string;
  readonly headers: readonly string[];
  readonly dropForwardedFor: boolean;
}

/** What intake knows of a request. */
export interface ExchangeRequest {
  readonly entryPoint: EntryPoint;
  readonly downstream: Downstream;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly host: string;
  readonly path: string;
  readonly routePath: string;
  readonly search: string;
  readonly headers: HeaderList;
  readonly peer: string;
  readonly trusted: boolean;
  readonly isUpgrade: boolean;
  readonly body: RequestBody | null;
  readonly startedAt: number;
}
