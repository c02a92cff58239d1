// One client's HTTP/2 session, and the floods it must not be used for.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { outliveStream } from '../../../util/outlive-stream.ts';
import { headTimeout } from '../head-timeout.ts';
import type { Door } from './door.ts';
import type { Http2Downstream } from './http2-downstream.ts';
import { Ending } from './http2-ending.ts';
import {
  firstBytesTimeout,
  maxControlFramesPerSecond,
  maxIdleBytesPerSecond,
  maxResetsPerSecond,
  requestAllowance,
} from './limits.ts';
import { peerOf } from './peer-address.ts';
import { Rate } from './rate.ts';
import type { Secured } from './secured.ts';

/** What is known of a session before it has begun. */
export interface Arriving {
  readonly socket: Socket;
  /** Null in cleartext. */
  readonly secured: Secured | null;
}

export class Session {
  readonly peer: string;
  /** Null in cleartext. */
  readonly secured: Secured | null;
  readonly #session: ServerHttp2Session;
  readonly #ending: Ending;
  readonly #door: Door;
  readonly #openedAt = performance.now();
  /** Milliseconds its first request may take to come, however its bytes do. */
  readonly #firstHead: number;
  /** Milliseconds; a timer of the session's own would outlive it: the library does not clear it. */
  readonly #idleTimeout: number;
  /** Since when no stream is open. */
  #idleSince = this.#openedAt;
  readonly #resets = new Rate(maxResetsPerSecond);
  readonly #control = new Rate(maxControlFramesPerSecond);
  /** At most as many as the client was told it may open. */
  readonly #open = new Set<Http2Downstream>();
  #begun = 0;
  /** Body bytes of streams that are over. */
  #receivedBefore = 0;
  /** At the last look. */
  #bytesThen = 0;
  #usefulThen = 0;

  constructor(session: ServerHttp2Session, { socket, secured }: Arriving, door: Door) {
    this.#session = session;
    this.#door = door;
    this.peer = peerOf(session.socket);
    this.secured = secured;
    const { transport } = door.entryPoint.spec;
    this.#firstHead = headTimeout(transport) || firstBytesTimeout;
    this.#idleTimeout = transport.idleTimeout || firstBytesTimeout;
    this.#ending = new Ending({ session, socket, patience: this.#idleTimeout });
    const control = (): void => {
      if (this.#control.isOver()) this.#calmDown();
    };
    session.on('remoteSettings', control);
    session.on('ping', control);
  }

  began(stream: ServerHttp2Stream, downstream: Http2Downstream): void {
    // Behind the end of a request no header section can begin, and a microsecond for each is saved.
    if (!stream.endAfterHeaders) outliveStream(stream, this.#session);
    this.#ending.streamBegun();
    this.#open.add(downstream);
    this.#begun += 1;
    stream.on('close', () => {
      this.#open.delete(downstream);
      this.#ending.streamClosed();
      if (this.#open.size === 0) this.#idleSince = performance.now();
      this.#receivedBefore += downstream.body?.received ?? 0;
      // Called off before its end, or at any time with an error of the client's: the answer may be ready by then.
      const isReset =
        downstream.aborted || (stream.rstCode !== constants.NGHTTP2_NO_ERROR && !downstream.cutByUs);
      if (isReset && this.#resets.isOver()) this.#calmDown();
    });
    const { keepAliveMaxRequests, keepAliveMaxTime } = this.#door.entryPoint.spec.transport;
    const isSpent =
      (keepAliveMaxRequests > 0 && this.#begun >= keepAliveMaxRequests) ||
      (keepAliveMaxTime > 0 && performance.now() - this.#openedAt >= keepAliveMaxTime);
    if (isSpent) this.leave();
  }

  /** No stream is begun any more; those there go on. */
  leave(): void {
    this.#ending.begin();
  }

  /**
   * Once a second: bytes that are neither bodies nor heads of requests are frames that only keep us busy, and
   * of most kinds of these nobody tells us.
   */
  look(): void {
    const now = performance.now();
    if (this.#begun === 0 && now - this.#openedAt > this.#firstHead) this.#session.destroy();
    // A head that never ends is no stream yet: this ends it as well.
    if (this.#open.size === 0 && now - this.#idleSince > this.#idleTimeout) this.leave();
    this.#ending.look(now);
    const bytes = this.#session.destroyed ? 0 : this.#session.socket.bytesRead;
    let useful = this.#receivedBefore + this.#begun * requestAllowance;
    for (const { body } of this.#open) useful += body?.received ?? 0;
    const idle = bytes - this.#bytesThen - (useful - this.#usefulThen);
    this.#bytesThen = bytes;
    this.#usefulThen = useful;
    if (idle > maxIdleBytesPerSecond) this.#calmDown();
  }

  #calmDown(): void {
    if (this.#session.destroyed) return;
    // Without an error Node would not say the code.
    this.#session.destroy(new Error('flooded'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
