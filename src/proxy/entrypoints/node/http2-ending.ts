// How a client's HTTP/2 session ends: after its last stream, or with what breaks it; never half.

import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { lastWordsTimeout, maxEndingSilence } from './limits.ts';

export interface Ended {
  readonly session: ServerHttp2Session;
  /** Under the session, which is all that it lets others see of it. */
  readonly socket: Socket;
  /** Milliseconds a client may take to read what is left of answers once all of its streams are over. */
  readonly patience: number;
}

/**
 * Once GOAWAY was sent the library tells nobody when the client breaks the protocol: it reads no more, so that not
 * even the connection's end is seen, and what runs on it runs for ever. Before that it tells both. Therefore a client's
 * GOAWAY is not answered with ours, which the library would do by itself, while streams are left; and behind ours
 * PING shows whether anybody is still listening.
 */
export class Ending {
  readonly #ended: Ended;
  readonly #close: () => void;
  #running = 0;
  /** It closes with its last stream. */
  #isLast = false;
  /** We have said GOAWAY. */
  #isTold = false;
  /** When it was first seen destroyed; 0: not yet. */
  #destroyedAt = 0;
  /** Since when, behind our GOAWAY, nothing has moved; 0: not yet looked. */
  #silentSince = 0;
  /** Bytes in both directions, at the last look. */
  #moved = 0;
  #hasAskedBack = false;

  constructor(ended: Ended) {
    const { session } = ended;
    this.#ended = ended;
    const close = session.close;
    this.#close = () => close.call(session);
    session.close = ignored;
    session.on('goaway', () => this.#endWithLast());
  }

  streamBegun(): void {
    this.#running += 1;
  }

  streamClosed(): void {
    this.#running -= 1;
    if (this.#isLast && this.#running === 0) setImmediate(this.#closeUnused);
  }

  /** Says GOAWAY: the streams there go on, and no other is begun. Closes once there are none. */
  begin(): void {
    const { session } = this.#ended;
    if (this.#isTold || session.destroyed) return;
    this.#isTold = true;
    session.goaway();
    this.#endWithLast();
  }

  /** To be called once a second. */
  look(now: number): void {
    const { session, socket, patience } = this.#ended;
    if (session.destroyed) {
      // Who does not read keeps even a destroyed session, by the write that is on its way.
      this.#destroyedAt ||= now;
      if (now - this.#destroyedAt > lastWordsTimeout) socket.destroy();
    } else if (this.#isTold || session.closed) {
      const most = session.closed ? patience : Math.min(patience, maxEndingSilence);
      if (this.#silence(now) > most) socket.destroy();
    }
  }

  /** Milliseconds. */
  #silence(now: number): number {
    const { session, socket } = this.#ended;
    const moved = socket.bytesRead + socket.bytesWritten;
    if (this.#silentSince === 0 || moved !== this.#moved) {
      this.#silentSince = now;
      this.#moved = moved;
    } else if (!this.#hasAskedBack && !session.closed) {
      this.#hasAskedBack = true;
      session.ping(this.#answeredBack);
      // Asking is no sign of life.
      this.#moved = socket.bytesRead + socket.bytesWritten;
    }
    return now - this.#silentSince;
  }

  readonly #answeredBack = (): void => {
    this.#hasAskedBack = false;
  };

  #endWithLast(): void {
    this.#isLast = true;
    // Not at once: streams of the same read are told of later.
    if (this.#running === 0) setImmediate(this.#closeUnused);
  }

  readonly #closeUnused = (): void => {
    if (this.#running === 0 && !this.#ended.session.destroyed) this.#close();
  };
}

function ignored(): void {}
