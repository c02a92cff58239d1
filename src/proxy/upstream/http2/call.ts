// One request and its answer, on a stream of its own.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { outliveStream } from '../../../util/outlive-stream.ts';
import type { RequestBody } from '../../body.ts';
import { GatewayError } from '../../errors.ts';
import type { HeaderList } from '../../headers.ts';
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from '../http1/call.ts';
import { readAnswerFields, readTrailers } from './answer-fields.ts';
import { maxInformational } from './limits.ts';
import { nameLoss } from './loss.ts';
import { requestFields } from './request-fields.ts';
import { type SenderEvents, StreamSender } from './sender.ts';
import { guardEnd, watchEnd } from './stream-ends.ts';

/** What a call without a stream is with: the pool's queue, or a connection that is being dialled. */
export interface CallPlace {
  /** The call was aborted. */
  drop(call: Http2Call): void;
}

/** The connection, as a call on one of its streams sees it. */
export interface StreamOwner {
  /** Streams with a greater identifier were never looked at by the server (RFC 9113 §6.8). */
  readonly lastStream: number;
  /** It had answered others before. */
  readonly isReused: boolean;
  readonly isLost: boolean;
  /** The tick until which a head may take from now; 0 for ever. */
  headDeadline(): number;
  /** An answer's head came. */
  heard(): void;
  /** A call has failed on it. */
  failed(): void;
  /** The stream is closed: its place is free. Once for every `begin`. */
  left(call: Http2Call): void;
}

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM } = constants;

export class Http2Call implements UpstreamCall, SenderEvents {
  readonly handler: UpstreamHandler;
  readonly fields: string[];
  /** Of the wait in the queue, or of the answer's head, in ticks of the pool; 0 for none. */
  deadline = 0;
  /** Null once it has a stream. */
  place: CallPlace | null = null;
  over = false;
  readonly #isHead: boolean;
  readonly #bytes: Uint8Array | null;
  readonly #body: RequestBody | null;
  #owner!: StreamOwner;
  #stream: ClientHttp2Stream | null = null;
  #sender: StreamSender | null = null;
  #hasHead = false;
  #informational = 0;
  /** Bytes of the answer's body to come by its Content-Length, -1 when not said. */
  #toCome = -1;
  /** The server has ended the stream, as opposed to having reset it. */
  #isWhole = false;
  #trailers: HeaderList | null = null;
  #error: Error | null = null;

  /** Throws `intake.bad_request` for a request that cannot be written down. */
  constructor(request: UpstreamRequest, scheme: 'http' | 'https', handler: UpstreamHandler) {
    const { method, path, headers, body } = request;
    this.handler = handler;
    this.#bytes = body instanceof Uint8Array ? body : null;
    this.#body = body === null || body instanceof Uint8Array ? null : body;
    this.#isHead = method === 'HEAD';
    const length = body === null ? null : (body.length ?? -1);
    this.fields = requestFields({ method, scheme, path, headers, length });
  }

  /** Opens a stream. `session` stands and takes new ones. */
  begin(session: ClientHttp2Session, owner: StreamOwner): void {
    const isEmpty = this.#body === null && (this.#bytes === null || this.#bytes.length === 0);
    const stream = session.request(this.fields, { endStream: isEmpty });
    outliveStream(stream, session);
    this.place = null;
    this.#owner = owner;
    this.#stream = stream;
    this.deadline = this.#body === null ? owner.headDeadline() : 0;
    this.#listen(stream);
    if (this.#body !== null) {
      const sender = new StreamSender(stream, this.#body, this);
      this.#sender = sender;
      guardEnd(stream, () => sender.done);
      sender.begin();
    } else if (!isEmpty) {
      stream.end(this.#bytes);
    }
  }

  abort(): void {
    if (this.over) return;
    this.#finish();
    this.#cut();
  }

  resume(): void {
    if (!this.over) this.#stream?.resume();
  }

  fail(error: GatewayError): void {
    if (this.over) return;
    this.#finish();
    this.#cut();
    this.handler.onError(error);
  }

  /** `deadline` has come, on a stream. */
  expired(): void {
    this.#owner.failed();
    this.fail(new GatewayError('upstream.headers_timeout'));
  }

  bodySent(): void {
    if (!this.#hasHead && !this.over) this.deadline = this.#owner.headDeadline();
  }

  bodyBroken(): void {
    if (this.over) return;
    this.#finish();
    this.#cut();
    // It may be known as early as the body is asked for, which is within `send`.
    process.nextTick(() => this.handler.onError(new GatewayError('client.gone')));
  }

  #finish(): void {
    this.over = true;
    this.deadline = 0;
    this.#sender?.stop();
  }

  /** Whatever the server still says is for nobody. */
  #cut(): void {
    const stream = this.#stream;
    if (stream === null) {
      this.place?.drop(this);
      this.place = null;
      return;
    }
    if (!stream.closed) stream.close(NGHTTP2_CANCEL);
    // Data that was read already would keep a stream that was held back from closing.
    stream.resume();
  }

  // --- the answer ---

  #listen(stream: ClientHttp2Stream): void {
    watchEnd(stream, () => (this.#isWhole = true));
    stream.on('headers', () => this.#informed());
    // The library's types know nothing of the third.
    stream.on('response', (...args: readonly unknown[]) =>
      this.#attempt(() => this.#answered(stream, args[1] as number, args[2] as readonly string[])),
    );
    stream.on('trailers', (...args: readonly unknown[]) =>
      this.#attempt(() => this.#trailed(args[2] as readonly string[])),
    );
    stream.on('end', () => this.#attempt(() => this.#ended()));
    stream.on('error', (error) => (this.#error = error));
    stream.on('close', () => this.#closed());
  }

  /** A handler's mistake must not leave a stream open that nobody looks after. */
  #attempt(act: () => void): void {
    const wasOver = this.over;
    try {
      act();
    } catch (error) {
      if (wasOver || this.over) throw error;
      this.#owner.failed();
      this.fail(
        error instanceof GatewayError
          ? error
          : new GatewayError('gateway.bug', 'handler of an answer', error),
      );
    }
  }

  #informed(): void {
    this.#informational++;
    if (this.#informational > maxInformational)
      this.fail(new GatewayError('upstream.malformed', `more than ${maxInformational} answers 1xx`));
  }

  #answered(stream: ClientHttp2Stream, flags: number, raw: readonly string[]): void {
    if (this.over) return;
    if (this.#hasHead) throw new GatewayError('upstream.malformed', 'a second head');
    this.#hasHead = true;
    this.deadline = 0;
    this.#owner.heard();
    const status = Number(raw[raw.indexOf(':status') + 1]);
    // The library takes any three digits.
    if (!(status >= 200 && status <= 999)) throw new GatewayError('upstream.malformed', 'status');
    const { headers, length } = readAnswerFields(raw);
    const isEnd = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const isBodyless = this.#isHead || status === 204 || status === 304;
    this.#toCome = isBodyless ? 0 : length;
    // Said for clients of HTTP/1.1, to whom it saves an empty chunked body.
    if (isEnd && !isBodyless && length === -1) headers.push('content-length', '0');
    const isAlone = stream.readableLength === 0 && !isEnd;
    this.handler.onHead(status, headers, isEnd || isBodyless ? 0 : length, isAlone);
    // Not before: a body could overtake its head otherwise. Also when the call is over: the stream must end.
    stream.on('data', (chunk: Uint8Array) => this.#attempt(() => this.#came(stream, chunk)));
  }

  #came(stream: ClientHttp2Stream, chunk: Uint8Array): void {
    if (this.over) return;
    if (this.#toCome !== -1) {
      if (chunk.length > this.#toCome)
        throw new GatewayError('upstream.bad_framing', 'more than Content-Length');
      this.#toCome -= chunk.length;
    }
    if (!this.handler.onData(chunk) && !this.over) stream.pause();
  }

  #trailed(raw: readonly string[]): void {
    if (!this.over) this.#trailers = readTrailers(raw);
  }

  /** All that was read of the answer was passed on; whether that is all of it is another question. */
  #ended(): void {
    if (this.over || !this.#hasHead || !this.#isWhole) return;
    if (this.#toCome > 0) throw new GatewayError('upstream.bad_framing', 'less than Content-Length');
    const isSent = this.#sender === null || this.#sender.done;
    this.#finish();
    // It answered without waiting for the body: the rest is not wanted.
    if (!isSent) this.#cut();
    if (this.#trailers !== null) this.handler.onTrailers?.(this.#trailers);
    this.handler.onEnd();
  }

  #closed(): void {
    const stream = this.#stream as ClientHttp2Stream;
    const owner = this.#owner;
    const wasOver = this.over;
    if (!wasOver) owner.failed();
    owner.left(this);
    if (wasOver) return;
    this.fail(
      nameLoss({
        stream: stream.id ?? null,
        code: stream.rstCode ?? 0,
        hasHead: this.#hasHead,
        lastStream: owner.lastStream,
        isReused: owner.isReused,
        isConnectionLost: owner.isLost,
        cause: this.#error,
      }),
    );
  }
}
