// One auth call on the wire: its deadline, its bounds, its one retry, and how errors are named.

import { type ErrorCode, GatewayError } from '../errors.ts';
import type { HeaderList } from '../headers.ts';
import type { CallTrace, ExchangeTrace } from '../tracing.ts';
import type { TimedCall } from './auth-calls.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './http1/call.ts';
import type { Http1Pool } from './http1/pool.ts';

export interface AuthCall {
  readonly method: string;
  /** Lower-case names, without host, framing and hop-by-hop ones. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
  /** Milliseconds for everything: waiting for a connection, connecting, head and body. */
  readonly timeout: number;
  /** Bytes of answer body; a longer one is cut off and told by `tooLarge`. */
  readonly maxBody: number;
  /** Of the request this is asked for; null or absent when that is not traced. */
  readonly trace?: ExchangeTrace | null;
}

const noBytes = new Uint8Array(0);

export interface AuthAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly tooLarge: boolean;
}

/** Who asked. Must not throw. */
export interface AuthListener {
  /**
   * Once, and never from within `ask`; never after `cancel`. Errors: `auth.unreachable`, `auth.timeout`,
   * `auth.bad_answer`, and `client.gone` when the client of auth calls was closed.
   */
  onAnswer(answer: AuthAnswer | GatewayError): void;
}

export interface PendingAnswer {
  /** Nobody wants the answer any more. */
  cancel(): void;
}

/** What a call goes through and how it leaves. */
export interface CallOwner {
  readonly pool: Http1Pool;
  readonly path: string;
  /** Scheme, host and port. */
  readonly origin: string;
  left(call: CallExchange): void;
}

/** Bytes of answers that are on their way, all calls of a worker together; what is beyond is too large an answer. */
const maxHeld = 128 * 1024 * 1024;
let held = 0;

/** One call, which may be sent twice. */
export class CallExchange implements PendingAnswer, TimedCall, UpstreamRequest, UpstreamHandler {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
  readonly deadline: number;
  place = -1;
  readonly #owner: CallOwner;
  readonly #timeout: number;
  readonly #maxBody: number;
  /** Null once there is nobody to tell, or nothing more. */
  #listener: AuthListener | null;
  #running: UpstreamCall | null = null;
  #retried = false;
  #status = 0;
  #answerHeaders: HeaderList = [];
  #body: Uint8Array = noBytes;
  /** What came after `#body`, which most often is nothing. */
  #more: Uint8Array[] | null = null;
  #size = 0;
  readonly #trace: CallTrace | null;

  /** `headers`: those of the call with `host` before them. */
  constructor(call: AuthCall, headers: HeaderList, owner: CallOwner, listener: AuthListener) {
    this.method = call.method;
    this.path = owner.path;
    this.headers = headers;
    this.body = call.body;
    this.deadline = performance.now() + Math.max(1, call.timeout);
    this.#owner = owner;
    this.#timeout = call.timeout;
    this.#maxBody = call.maxBody;
    this.#listener = listener;
    const target = { method: this.method, url: owner.origin, target: owner.path };
    this.#trace = call.trace?.call('AuthRequest', target, headers) ?? null;
  }

  send(): void {
    this.#running = this.#owner.pool.send(this, this, this.#retried);
  }

  cancel(): void {
    if (this.#release() === null) return;
    this.#trace?.failed('client.gone');
    this.#running?.abort();
  }

  expire(): void {
    this.fail(new GatewayError('auth.timeout', `no answer within ${this.#timeout} ms`));
  }

  fail(error: GatewayError): void {
    const listener = this.#release();
    if (listener === null) return;
    this.#trace?.failed(error.code);
    this.#running?.abort();
    listener.onAnswer(error);
  }

  onHead(status: number, headers: HeaderList): void {
    this.#status = status;
    this.#answerHeaders = headers;
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#listener === null) return true;
    this.#size += chunk.length;
    held += chunk.length;
    if (this.#size > this.#maxBody || held > maxHeld) {
      this.#body = noBytes;
      this.#more = null;
      this.#finish(true);
      this.#running?.abort();
      return true;
    }
    // A copy: the chunk is a window into memory the next read overwrites.
    const copy = Buffer.from(chunk);
    if (this.#body.length === 0) this.#body = copy;
    else if (this.#more === null) this.#more = [copy];
    else this.#more.push(copy);
    return true;
  }

  onEnd(): void {
    this.#finish(false);
  }

  onError(error: GatewayError): void {
    // An idle connection that the server closed just as we wrote: RFC 9110 §9.2.2 lets a client repeat that.
    if (error.retry === 'fresh-connection' && !this.#retried) {
      this.#retried = true;
      this.send();
      return;
    }
    const code = badAnswers.has(error.code) ? 'auth.bad_answer' : 'auth.unreachable';
    this.fail(new GatewayError(code, error.code, error));
  }

  #finish(tooLarge: boolean): void {
    const listener = this.#release();
    if (listener === null) return;
    this.#trace?.answered(this.#status, this.#answerHeaders);
    const body = this.#more === null ? this.#body : Buffer.concat([this.#body, ...this.#more]);
    listener.onAnswer({ status: this.#status, headers: this.#answerHeaders, body, tooLarge });
  }

  #release(): AuthListener | null {
    const listener = this.#listener;
    if (listener === null) return null;
    this.#listener = null;
    held -= this.#size;
    this.#owner.left(this);
    return listener;
  }
}

/** The auth server answered, but not with an answer. */
const badAnswers: ReadonlySet<ErrorCode> = new Set([
  'upstream.malformed',
  'upstream.bad_framing',
  'upstream.bad_upgrade',
  'upstream.reset_body',
]);
