// One connection to a server. It serves one call at a time, and whatever arrives belongs to that call or to
// nobody: then it is closed.

import type { Socket } from 'node:net';
import { GatewayError } from '../../errors.ts';
import { toGatewayError } from '../errors.ts';
import { BodyReader, type Framing } from './body-reader.ts';
import type { BodySender, SenderEvents } from './body-sender.ts';
import type { Call, CallPlace } from './call.ts';
import type { Dialler } from './dial.ts';
import { type Head, refused } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { keepAliveMargin, readBufferBytes } from './limits.ts';
import { writeRequest } from './write-request.ts';

/** The pool, as a connection sees it. */
export interface ConnectionOwner {
  /** Its answer is complete, and it may serve again once nothing else turns up on it. */
  rest(connection: Connection): void;
  /** It is closed, or about to be. Called once. */
  gone(connection: Connection): void;
  /** It stands, so many milliseconds after it was begun. */
  dialled?(ms: number): void;
  /** The tick in `milliseconds` from now, rounded up; 0 for 0, which is never. */
  tickIn(milliseconds: number): number;
  readonly keepsConnections: boolean;
  readonly dialTimeout: number;
  readonly headTimeout: number;
}

export const dialling = 0;
export const busy = 1;
/** Served, but not yet seen to be silent. */
export const resting = 2;
export const idle = 3;
export const closed = 4;

// A read is dealt with before the next one, on whatever connection, so one buffer does for all.
const readBuffer = Buffer.allocUnsafeSlow(readBufferBytes);

export class Connection implements CallPlace, SenderEvents {
  state = dialling;
  /** In ticks of the owner, 0 for none: what happens then depends on the state. */
  deadline = 0;
  /** Milliseconds the server says it keeps the connection, less a margin; -1 when it does not say. */
  keepAlive = -1;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  /** Serves one call only. */
  readonly #isSingle: boolean;
  readonly #begunAt = performance.now();
  readonly #reader = new BodyReader();
  readonly #heads = new HeadReader();
  #call: Call | null;
  #sender: BodySender | null = null;
  /** Calls answered. */
  #served = 0;
  /** Of the running answer: some byte arrived, its head is complete. */
  #hasBytes = false;
  #hasHead = false;
  /** Not to be used again. */
  #mustClose = false;
  /** The first write of the running call was refused by the kernel. */
  #isUnsent = false;
  #inRead = false;
  #held = false;

  /** Throws when dialling cannot even begin. */
  constructor(owner: ConnectionOwner, dialler: Dialler, call: Call) {
    this.#owner = owner;
    this.#isSingle = call.fresh || !owner.keepsConnections;
    this.#call = call;
    this.deadline = owner.tickIn(owner.dialTimeout);
    const socket = dialler.dial({ buffer: readBuffer, callback: (bytes) => this.#read(bytes) });
    this.#socket = socket;
    call.place = this;
    socket.once(dialler.isTls ? 'secureConnect' : 'connect', () => this.#connected());
    socket.on('drain', () => this.#sender?.drained());
    socket.on('end', () => this.#lost(null));
    socket.on('error', (error) => this.#lost(error));
    socket.on('close', () => this.#lost(null));
  }

  /** Idle, and nothing known against it. */
  get isUsable(): boolean {
    return this.state === idle && this.#socket.writable && !this.#socket.readableEnded;
  }

  /** Begins to serve `call`; only when idle, or at the end of a rest. */
  serve(call: Call): void {
    this.#call = call;
    call.place = this;
    this.#begin(call);
  }

  /** Closes it. Not for a connection that serves a call. */
  close(): void {
    if (this.state === closed) return;
    this.state = closed;
    this.deadline = 0;
    this.#reader.stop();
    this.#sender?.stop();
    this.#socket.destroy();
    this.#owner.gone(this);
  }

  /** The call was aborted: what the server still says is for nobody. */
  drop(call: Call): void {
    if (this.#call !== call) return;
    this.#call = null;
    this.close();
  }

  resume(call: Call): void {
    if (this.#call !== call || !this.#held) return;
    this.#held = false;
    if (!this.#inRead) this.#socket.resume();
  }

  /** `deadline` has come. */
  expired(): void {
    this.deadline = 0;
    if (this.state === dialling) this.#fail(new GatewayError('upstream.connect_timeout'));
    else if (this.state === busy) this.#fail(new GatewayError('upstream.headers_timeout'));
    else this.close();
  }

  bodySent(): void {
    if (!this.#hasHead) this.deadline = this.#owner.tickIn(this.#owner.headTimeout);
  }

  bodyBroken(): void {
    const call = this.#call;
    this.#call = null;
    this.close();
    // It may be known as early as the body is asked for, which is within `send`.
    if (call !== null) process.nextTick(failGone, call);
  }

  // --- the request ---

  #connected(): void {
    this.#owner.dialled?.(performance.now() - this.#begunAt);
    const call = this.#call;
    if (call !== null) this.#begin(call);
  }

  #begin(call: Call): void {
    this.state = busy;
    this.deadline = call.stream === null ? this.#owner.tickIn(this.#owner.headTimeout) : 0;
    this.#hasBytes = false;
    this.#hasHead = false;
    this.#heads.begin();
    this.#sender = writeRequest(this.#socket, call, this.#isSingle || call.isLast, this);
    // The kernel took nothing at all of a write that fails on the spot.
    this.#isUnsent = this.#socket.errored !== null;
  }

  // --- the answer ---

  /** One read into the shared buffer; false pauses the socket. */
  #read(bytes: number): boolean {
    if (this.#call === null || this.state !== busy) {
      this.#unasked();
      return false;
    }
    this.#inRead = true;
    try {
      this.#take(this.#call, readBuffer, bytes);
    } catch (error) {
      // A handler's mistake must not leave a connection in use that has lost its place.
      const isOver = this.#call === null;
      this.#fail(new GatewayError('gateway.bug', 'handler of an answer', error));
      if (isOver) throw error;
    } finally {
      this.#inRead = false;
    }
    return !this.#held;
  }

  /** Bytes nobody asked for: they must not become somebody's answer. */
  #unasked(): void {
    if (this.#call !== null)
      this.#fail(new GatewayError('upstream.malformed', 'an answer before the request'));
    else this.close();
  }

  #take(call: Call, bytes: Buffer, end: number): void {
    this.#hasBytes = true;
    let pos = 0;
    if (!this.#hasHead) {
      pos = this.#heads.read(bytes, end);
      if (pos === refused) this.#fail(this.#heads.error as GatewayError);
      if (pos < 0) return;
      this.#takeHead(call, pos === end);
      if (this.#call !== call) return;
    }
    const read = this.#reader.read(bytes, pos, end);
    if (read.held) this.#held = true;
    if (this.#call !== call) return;
    const { problem } = this.#reader;
    if (problem !== '') this.#fail(new GatewayError('upstream.bad_framing', problem));
    else if (this.#reader.done) this.#complete(call, read.pos === end);
  }

  #takeHead(call: Call, isAlone: boolean): void {
    const { head } = this.#heads;
    const { status, headers } = head;
    this.#hasHead = true;
    this.deadline = 0;
    this.#mustClose = head.close || call.isLast;
    this.keepAlive = head.keepAlive === -1 ? -1 : head.keepAlive * 1000 - keepAliveMargin;
    const length = this.#beginBody(call, head);
    call.handler.onHead(status, headers, length, isAlone);
  }

  /** The body's length as `onHead` tells it. */
  #beginBody(call: Call, head: Head): number {
    const isBodyless = call.isHead || head.status === 204 || head.status === 304;
    let framing: Framing = 'length';
    let length = 0;
    if (!isBodyless && head.contentLength === -1) {
      framing = head.chunked ? 'chunked' : 'until-close';
      length = -1;
    } else if (!isBodyless) {
      length = head.contentLength;
    }
    this.#reader.begin(call.handler, framing, length);
    return length;
  }

  #complete(call: Call, isClean: boolean): void {
    // Bytes of the request that the server has not taken yet: it answered without reading them.
    const isSent = (this.#sender === null || this.#sender.done) && this.#socket.writableLength === 0;
    const isReusable =
      isClean &&
      isSent &&
      !this.#mustClose &&
      !this.#isSingle &&
      (this.keepAlive === -1 || this.keepAlive > 0);
    this.#call = null;
    call.place = null;
    call.over = true;
    this.#held = false;
    this.#served++;
    if (isReusable) {
      this.#sender = null;
      this.#reader.stop();
      this.#owner.rest(this);
    } else {
      this.close();
    }
    call.handler.onEnd();
  }

  // --- the end ---

  /** Read to its end, failed, or closed. */
  #lost(error: Error | null): void {
    if (this.state === closed) return;
    const call = this.#call;
    if (call === null) {
      this.close();
    } else if (error === null && this.#hasHead && this.#reader.framing === 'until-close') {
      this.#complete(call, false);
    } else {
      this.#fail(this.#nameLoss(error));
    }
  }

  #nameLoss(error: Error | null): GatewayError {
    if (this.state === dialling) return toGatewayError(error ?? new Error('closed'));
    const detail = (error as NodeJS.ErrnoException | null)?.code ?? 'closed by the server';
    if (this.#hasHead) return new GatewayError('upstream.reset_body', detail, error);
    // Cut within the head: what there is of it is no HTTP.
    if (this.#heads.isCut && error === null) return new GatewayError('upstream.malformed', detail);
    return new GatewayError(
      this.#served > 0 && !this.#hasBytes ? 'upstream.reset_reused' : 'upstream.reset',
      detail,
      error,
    );
  }

  #fail(error: GatewayError): void {
    const call = this.#call;
    this.#call = null;
    error.unsent = this.state === dialling || this.#isUnsent;
    this.close();
    call?.fail(error);
  }
}

function failGone(call: Call): void {
  call.fail(new GatewayError('client.gone'));
}
