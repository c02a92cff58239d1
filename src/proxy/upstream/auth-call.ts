// One auth call on the wire: its deadline, its bounds, its one retry, and how errors are named.

import type { Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import type { HeaderList } from '../headers.ts';

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

/** One call, which may take two dispatches. */
export class CallExchange implements PendingAnswer, Dispatcher.DispatchHandler {
  readonly answer: Promise<AuthAnswer>;
  onDone: () => void = () => {};
  /** Dispatches again and says so, or says no. */
  retry: (error: Error) => boolean = () => false;
  readonly #call: AuthCall;
  readonly #headers: string[];
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  #settle: Settle | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #retried = false;
  #sawAnswer = false;
  #status = 0;
  #answerHeaders: HeaderList = [];
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(call: AuthCall, headers: string[], path: string) {
    this.#call = call;
    this.#headers = headers;
    this.#path = path;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const fail = () => this.#fail(new GatewayError('auth.timeout', `no answer within ${call.timeout} ms`));
    this.#timer = setTimeout(fail, Math.max(1, call.timeout));
  }

  dispatch(dispatcher: Dispatcher): void {
    const options = {
      method: this.#call.method,
      path: this.#path,
      headers: this.#headers,
      body: this.#call.body,
    };
    try {
      dispatcher.dispatch(options as Dispatcher.DispatchOptions, this);
    } catch (error) {
      this.#fail(new GatewayError('auth.unreachable', 'request refused by the client library', error));
    }
  }

  cancel(): void {
    this.#fail(new GatewayError('client.gone'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settle === null) controller.abort(new Error('call is over'));
    else this.#controller = controller;
  }

  onResponseStarted(): void {
    this.#sawAnswer = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    this.#status = status;
    this.#answerHeaders = readHeaders(controller.rawHeaders);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#call.maxBody) {
      this.#chunks = [];
      this.#finish(true);
      this.#controller?.abort(new Error('body over the limit'));
      return;
    }
    // A copy: the chunk is a window into the parser's memory.
    this.#chunks.push(Buffer.from(chunk));
  }

  onResponseEnd(): void {
    this.#finish(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settle === null) return;
    if (!this.#sawAnswer && !this.#retried) {
      this.#retried = true;
      if (this.retry(error)) return;
    }
    const code = this.#sawAnswer ? 'auth.bad_answer' : 'auth.unreachable';
    this.#fail(new GatewayError(code, describe(error), error));
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
    this.#controller?.abort(error);
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

function readHeaders(raw: Dispatcher.DispatchController['rawHeaders']): HeaderList {
  const headers: HeaderList = [];
  if (!Array.isArray(raw)) return headers;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    headers.push(latin1(raw[i]).toLowerCase(), latin1(raw[i + 1]));
  }
  return headers;
}

function latin1(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes?.toString('latin1') ?? '');
}

/** The error's code, never its text: certificates and addresses of others stay out of messages. */
function describe(error: Error): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : error.name;
}
