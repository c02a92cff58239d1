// One request and its answer, as the pool and a connection see it.

import type { RequestBody } from '../../body.ts';
import type { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import { serialiseHead } from './request-head.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Request target in origin form. */
  readonly path: string;
  /** Flat lower-case name, value; latin1; `host` first. Framing and hop-by-hop fields are left out. */
  readonly headers: HeaderList;
  /** Null: none. Bytes: whole. Stream: piped once a connection stands. */
  readonly body: Uint8Array | RequestBody | null;
}

/** Never called from within `send`, and no more after `abort`. */
export interface UpstreamHandler {
  /**
   * The answer's head; 1xx are not reported. `headers` is the handler's own: lower-case names, latin1 values,
   * without hop-by-hop and nominated fields. `length` is that of the body to come: bytes,
   * -1 when only the end will tell (chunked, until close), 0 for none. `isAlone`: nothing of the body came
   * with it.
   */
  onHead(status: number, headers: HeaderList, length: number, isAlone: boolean): void;
  /**
   * `chunk` is a view of memory that is used again: valid during the call only. False holds back until
   * `call.resume()`; what was read already (`readBufferBytes` at most) still comes.
   */
  onData(chunk: Uint8Array): boolean;
  /** Just before `onEnd`, when fields came behind the body; the list is the handler's own. Over HTTP/2 only. */
  onTrailers?(trailers: HeaderList): void;
  onEnd(): void;
  /** Instead of `onEnd`; also after `onHead`. */
  onError(error: GatewayError): void;
}

export interface UpstreamCall {
  /** Closes the call's connection unless the answer was complete; the handler hears nothing more. */
  abort(): void;
  /** After `onData` said false. */
  resume(): void;
}

/** What a call is with at the moment: the pool's queue or a connection. */
export interface CallPlace {
  drop(call: Call): void;
  resume(call: Call): void;
}

export class Call implements UpstreamCall {
  readonly handler: UpstreamHandler;
  /** On a connection of its own. */
  readonly fresh: boolean;
  /** Head without the empty line. */
  readonly head: string;
  /** A body that leaves with the head; null for none and for streams. */
  readonly bytes: Uint8Array | null;
  readonly stream: RequestBody | null;
  /** Its answer has no body whatever the answer's head says. */
  readonly isHead: boolean;
  /** No other call may follow on its connection. */
  readonly isLast: boolean;
  /** Null before the call has a place, and once it is over. */
  place: CallPlace | null = null;
  over = false;
  /** In the queue: the calls before and after it, and the tick at which it has waited too long (0: never). */
  before: Call | null = null;
  after: Call | null = null;
  deadline = 0;

  /** Throws `intake.bad_request` for a request that cannot be written down. */
  constructor(request: UpstreamRequest, handler: UpstreamHandler, fresh: boolean) {
    const { method, path, headers, body } = request;
    this.handler = handler;
    this.fresh = fresh;
    this.bytes = body instanceof Uint8Array ? body : null;
    this.stream = body === null || body instanceof Uint8Array ? null : body;
    this.isHead = method === 'HEAD';
    this.isLast = vouchesForConnection(headers);
    this.head = serialiseHead({ method, path, headers, length: lengthOf(body) });
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    const { place } = this;
    this.place = null;
    place?.drop(this);
  }

  resume(): void {
    this.place?.resume(this);
  }

  fail(error: GatewayError): void {
    if (this.over) return;
    this.over = true;
    this.place = null;
    this.handler.onError(error);
  }
}

// Schemes that prove who a connection is from, and not a request (RFC 4559 §6); an answer need not say that they did.
const connectionScheme = /^(?:ntlm|negotiate|nego2)(?:[ \t]|$)/i;

function vouchesForConnection(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 13 || name !== 'authorization') continue;
    if (connectionScheme.test(headers[i + 1] as string)) return true;
  }
  return false;
}

function lengthOf(body: UpstreamRequest['body']): number | null {
  if (body === null) return null;
  return body.length ?? -1;
}
