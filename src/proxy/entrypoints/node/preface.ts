// Tells HTTP/2 by prior knowledge from HTTP/1 by a connection's first bytes.

import type { Socket } from 'node:net';

// RFC 9113 §3.4. No method of HTTP/1 begins like it, so what differs in one byte is HTTP/1.
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Calls `found` once, with the bytes put back; cuts a connection that stays silent for `timeout` milliseconds. */
export function recognise(socket: Socket, timeout: number, found: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const cut = (): void => void socket.destroy();
  const take = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, preface.length);
    const isLike = seen.compare(preface, 0, length, 0, length) === 0;
    if (isLike && length < preface.length) return;
    socket.pause();
    socket.off('data', take);
    socket.off('timeout', cut);
    socket.off('error', cut);
    socket.off('end', cut);
    socket.setTimeout(0);
    socket.unshift(seen);
    found(isLike);
    // An HTTP/2 session takes what was put back by itself.
    if (!isLike) socket.resume();
  };
  socket.setTimeout(timeout);
  socket.on('timeout', cut);
  // Before the engine has it nobody else listens.
  socket.on('error', cut);
  socket.on('end', cut);
  socket.on('data', take);
}
