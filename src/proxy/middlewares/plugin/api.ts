// What a plugin may rely on, as types: a part of the gateway's own, written out, so that a plugin is checked against
// these alone and what lies behind them can change. A test holds the two together.

import type { z } from 'zod';

/** Flat: name in lower case, value, name, value …; edited in place. Values are latin1, one character a byte. */
export type HeaderList = string[];

/** CONTINUE or ANSWERED. */
export type Verdict = 0 | 1;
/** RETRY too: on the way out only. */
export type AnswerVerdict = Verdict | 2;

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As the access log names it: `HTTP/1.1`. */
  readonly protocol: string;
  /** The Host header as the client sent it, port included; sent upstream with passHostHeader. */
  authority: string;
  /** Lower case, without port, brackets and final dot: what rules compare. */
  readonly host: string;
  /** Escaped, normalised and sanitised; begins with `/`. May be rewritten. */
  path: string;
  /** As it was when the request came in. */
  readonly requestPath: string;
  /** What path rules compare: all but reserved escapes decoded. Fixed when the request comes in. */
  readonly routePath: string;
  /** `?a=b`, or empty. */
  search: string;
  /** Without hop-by-hop headers, and without identity headers that the client has no right to send. */
  readonly headers: HeaderList;
  /** IP of the TCP peer. */
  readonly peer: string;
  /** The peer's own X-Forwarded-* headers were kept. */
  readonly trusted: boolean;
  /** A WebSocket handshake. */
  readonly isUpgrade: boolean;
  /** Null when the request has none. */
  readonly body: RequestBody | null;
  /** DER, the client's own first, verified; null when there is none. */
  readonly clientCertificates: readonly Uint8Array[] | null;
  status: number;
  responseHeaders: HeaderList;
  /** The body of an answer made inside the gateway. */
  answerBody: string | Uint8Array;
  /** Nothing can be changed any more. */
  readonly headSent: boolean;
  readonly ended: boolean;
  /** `performance.now()` when the request came in. */
  readonly startedAt: number;
  /** Who the request is from, for the access log only. */
  username: string | null;

  /**
   * Answers from inside the gateway; a hook returns what this returns. `headers` become the answer's own: do not
   * share the list between requests.
   */
  answer(status: number, headers: HeaderList, body: string | Uint8Array): 1;
  /** What was kept for this request under `slot`; undefined until then. */
  fact<T>(slot: number): T | undefined;
  keepFact(slot: number, value: unknown): void;
  /** Before a hook that may say RETRY: the request as it stands, for `restoreRequest`. */
  rememberRequest(): RequestState;
  restoreRequest(state: RequestState): void;
  /**
   * Within a response hook: the whole body of the answer. Null when it is longer than `maxBytes`; rejects with the
   * server's error.
   */
  collectAnswer(maxBytes: number): Promise<Uint8Array | null>;
}

export interface RequestBody {
  /** Bytes by Content-Length; null for a chunked body. */
  readonly length: number | null;
  /**
   * Reads the whole body and keeps it for the server. Null when it is longer than `maxBytes`; rejects when the
   * client goes away.
   */
  collect(maxBytes: number): Promise<Uint8Array | null>;
  /** The whole body, once collected. */
  readonly collected: Uint8Array | null;
}

/** What may be changed of a request on its way in. */
export interface RequestState {
  readonly path: string;
  readonly search: string;
  readonly authority: string;
  readonly headers: readonly string[];
  readonly dropForwardedFor: boolean;
}

/** A phase left out costs nothing. Hooks hold no state of a request: that is what slots are for. */
export interface Hooks {
  /** In the listed order, before the service. Returns a promise only when it must wait. */
  readonly request?: (x: Exchange) => Verdict | Promise<Verdict>;
  /** In reverse order, once `x.status` and `x.responseHeaders` are known and nothing is sent. No verdict is CONTINUE. */
  // oxlint-disable-next-line typescript/no-invalid-void-type -- most hooks only edit, and say nothing
  readonly response?: (x: Exchange) => void | AnswerVerdict | Promise<AnswerVerdict>;
  /** Exactly once, when the last byte is sent or the Exchange was cut. */
  readonly end?: (x: Exchange) => void;
}

/** What a build may use. */
export interface BuildDeps {
  /** Qualified name of this middleware: `auth@file`. */
  readonly name: string;
  /** Qualified name of the router this instance is for; empty unless the definition is `perRouter`. */
  readonly router: string;
  /** 32 random bytes of this boot, hex, the same in every worker. */
  readonly bootSecret: string;
  /** An index for `x.fact` and `x.keepFact` that no other middleware has. */
  slot(): number;
  /** What outlives reloads as long as somebody asks for the same `key`; closed once nobody does. */
  keep<T extends { close(): void }>(key: string, create: () => T): T;
  /** Never pass it anything a client sent. */
  readonly log: { warn(message: string): void; error(message: string): void };
}

export interface MiddlewareDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly kind: string;
  /** One sentence. */
  readonly summary: string;
  /** Of zod 4. What it makes is plain data: it crosses processes. */
  readonly schema: Schema;
  /** One instance for each router that uses it; else one for all. */
  readonly perRouter?: true;
  /**
   * Puts the content of files that the options name into them, in the primary: workers read none. `readFile` throws
   * `Error`, and so may this: routers that use it answer 503.
   */
  withFiles?(options: z.output<Schema>, readFile: (path: string) => string): z.output<Schema>;
  /** Headers that only this middleware may set: no client gets to send them, on no route. Tolerates any options. */
  ownHeaders?(options: unknown): readonly string[];
  /** At load, in every worker. Throws `Error` when the options cannot work: routers that use it answer 503. */
  build(options: z.output<Schema>, deps: BuildDeps): Hooks;
}
