// One auth call on the wire: its deadline, its bounds, its one retry, and how errors are named.

import { type ErrorCode, GatewayError } from '../errors.ts';
import type { HeaderList } from '../headers.ts';
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
}

export interface AuthAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly tooLarge: boolean;
}

export interface PendingAnswer {
  /** Rejects with `GatewayError` only: `auth.unreachable`, `auth.timeout`, `auth.bad_answer`, `client.gone`. */
  readonly answer: Promise<AuthAnswer>;
  /** Nobody wants the answer any more. */
  cancel(): void;
}

interface Settle {
  resolve(answer: AuthAnswer): void;
  reject(error: GatewayError): void;
}

/** One call, which may be sent twice. */
export class CallExchange implements PendingAnswer, UpstreamRequest, UpstreamHandler {
  readonly answer: Promise<AuthAnswer>;
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
  onDone: () => void = () => {};
  readonly #pool: Http1Pool;
  readonly #maxBody: number;
  readonly #timer: NodeJS.Timeout;
  #settle: Settle | null = null;
  #running: UpstreamCall | null = null;
  #retried = false;
  #status = 0;
  #answerHeaders: HeaderList = [];
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(
    call: AuthCall,
    target: { readonly path: string; readonly headers: HeaderList },
    pool: Http1Pool,
  ) {
    this.method = call.method;
    this.path = target.path;
    this.headers = target.headers;
    this.body = call.body;
    this.#pool = pool;
    this.#maxBody = call.maxBody;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const fail = () => this.#fail(new GatewayError('auth.timeout', `no answer within ${call.timeout} ms`));
    this.#timer = setTimeout(fail, Math.max(1, call.timeout));
  }

  send(): void {
    this.#running = this.#pool.send(this, this, this.#retried);
  }

  cancel(): void {
    this.#fail(new GatewayError('client.gone'));
  }

  onHead(status: number, headers: HeaderList): void {
    this.#status = status;
    this.#answerHeaders = headers;
  }

  onData(chunk: Uint8Array): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#maxBody) {
      this.#chunks = [];
      this.#finish(true);
      this.#running?.abort();
    } else {
      // A copy: the chunk is a window into memory the next read overwrites.
      this.#chunks.push(Buffer.from(chunk));
    }
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
    this.#fail(new GatewayError(code, error.code, error));
  }

  #finish(tooLarge: boolean): void {
    const settle = this.#release();
    const body = tooLarge ? new Uint8Array(0) : Buffer.concat(this.#chunks);
    settle?.resolve({ status: this.#status, headers: this.#answerHeaders, body, tooLarge });
  }

  #fail(error: GatewayError): void {
    const settle = this.#release();
    if (settle === null) return;
    settle.reject(error);
    this.#running?.abort();
  }

  #release(): Settle | null {
    const settle = this.#settle;
    if (settle === null) return null;
    this.#settle = null;
    clearTimeout(this.#timer);
    this.onDone();
    return settle;
  }
}

/** The auth server answered, but not with an answer. */
const badAnswers: ReadonlySet<ErrorCode> = new Set([
  'upstream.malformed',
  'upstream.bad_framing',
  'upstream.bad_upgrade',
  'upstream.reset_body',
]);
