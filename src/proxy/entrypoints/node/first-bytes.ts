// Tells TLS, HTTP/2 by prior knowledge and HTTP/1 apart by a connection's first bytes.

import type { Socket } from 'node:net';
import type { ListenerSpec } from '../../../model/tls.ts';
import { type Hello, readHello } from './hello.ts';

/** A TLS hello, a protocol in cleartext, or what neither may begin with here. */
export type Beginning = Hello | 'http1' | 'http2' | 'broken-hello' | 'no-tls';

// RFC 9113 §3.4. No method of HTTP/1 begins like it, so what differs in one byte is HTTP/1.
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const handshakeRecord = 0x16;

/**
 * Calls `found` once, with the bytes put back and the socket paused; cuts a connection that has not said enough
 * within `timeout` milliseconds.
 */
export function recognise(
  socket: Socket,
  { side, timeout }: { readonly side: ListenerSpec['side']; readonly timeout: number },
  found: (beginning: Beginning) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const cut = (): void => void socket.destroy();
  // From the first moment on, however often a byte comes.
  const timer = setTimeout(cut, timeout);
  const take = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const beginning = beginningOf(seen, side);
    if (beginning === null) return;
    clearTimeout(timer);
    socket.pause();
    socket.off('data', take);
    socket.off('error', cut);
    socket.off('end', cut);
    socket.off('close', forget);
    socket.unshift(seen);
    found(beginning);
  };
  const forget = (): void => clearTimeout(timer);
  // Before the engine has it nobody else listens.
  socket.on('error', cut);
  socket.on('end', cut);
  socket.on('close', forget);
  socket.on('data', take);
}

/** Null while it cannot be told. */
function beginningOf(seen: Buffer, side: ListenerSpec['side']): Beginning | null {
  if (side !== 'cleartext' && seen[0] === handshakeRecord) {
    const hello = readHello(seen);
    if (hello === 'incomplete') return null;
    return hello === 'broken' ? 'broken-hello' : hello;
  }
  if (side === 'tls') return 'no-tls';
  const length = Math.min(seen.length, preface.length);
  if (seen.compare(preface, 0, length, 0, length) !== 0) return 'http1';
  return length < preface.length ? null : 'http2';
}
