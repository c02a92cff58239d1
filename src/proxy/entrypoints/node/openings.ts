// Connections that have not come so far as a request: bounded in number and time.

import type { Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { handshakeTimeout, maxHandshakes } from './limits.ts';
import { alerts } from './tls-terms.ts';

/** TLS handshakes that are on their way. */
export class Handshakes {
  readonly #most: number;
  /** With the timer that ends each, the oldest first; at most `most`. */
  readonly #running = new Map<Socket, NodeJS.Timeout>();

  constructor(most: number = maxHandshakes) {
    this.#most = most;
  }

  /** `socket` is paused, with its first bytes put back. */
  begin(socket: Socket, server: Server): void {
    const timer = setTimeout(() => socket.destroy(), handshakeTimeout);
    this.#running.set(socket, timer);
    socket.on('error', ignore);
    socket.once('close', () => this.ended(socket));
    if (this.#running.size > this.#most) {
      // Handshakes take milliseconds: whoever has been at it for longest is the least likely to end it.
      const [oldest] = this.#running.keys();
      oldest?.destroy();
    }
    // Inherited by the encryption: who leaves in the middle would be waited for, at a hundred kilobytes each.
    socket.allowHalfOpen = false;
    server.emit('connection', socket);
  }

  /** Over, or gone. Who is in may stop sending and still read. */
  ended(socket: Socket, secured?: TLSSocket): void {
    if (secured !== undefined) {
      socket.allowHalfOpen = true;
      secured.allowHalfOpen = true;
    }
    clearTimeout(this.#running.get(socket));
    this.#running.delete(socket);
  }
}

/** The socket under the encryption; Node's types do not name it. */
export function socketUnder(secured: TLSSocket): Socket {
  return (secured as unknown as { _parent: Socket })._parent;
}

/** Refuses a handshake that has not begun. */
export function sendAlert(socket: Socket, alert: number): void {
  const fatal = 2;
  socket.on('error', ignore);
  // RFC 8446 §5.1: what goes before the first answer bears the version of old.
  socket.end(Buffer.from([21, 3, 3, 0, 2, fatal, alert]), () => socket.destroy());
}

const plainAnswer =
  'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 38\r\n' +
  'connection: close\r\n\r\nThis port speaks HTTPS, and only that.';

/** Answers bytes that are no TLS where nothing else is spoken: a browser shows what it is told. */
export function refuseCleartext(socket: Socket): void {
  socket.on('error', ignore);
  if (looksLikeHttp(socket)) socket.end(plainAnswer, 'latin1', () => socket.destroy());
  else sendAlert(socket, alerts.decodeError);
}

/** A method's first letter. */
function looksLikeHttp(socket: Socket): boolean {
  const first = (socket.read(1) as Buffer | null)?.[0] ?? 0;
  return first >= 0x41 && first <= 0x5a;
}

function ignore(): void {}
