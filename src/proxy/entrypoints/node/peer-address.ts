// A socket's peer in the form the other engine gives it: IPv4-mapped IPv6 as IPv4.

import type { Socket } from 'node:net';

/** Empty when the connection is gone. */
export function peerOf(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
