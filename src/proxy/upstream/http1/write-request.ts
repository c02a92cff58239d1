// A request onto a socket, in as few writes as it can be.

import type { Socket } from 'node:net';
import { BodySender, type SenderEvents } from './body-sender.ts';
import type { Call } from './call.ts';
import { oneWriteBytes } from './limits.ts';

const lineEnd = '\r\n';
const closeLine = 'connection: close\r\n\r\n';

/** Writes head and body; what sends the rest of a streamed body, or null. `isLast`: the server may close after it. */
export function writeRequest(
  socket: Socket,
  call: Call,
  isLast: boolean,
  events: SenderEvents,
): BodySender | null {
  const head = call.head + (isLast ? closeLine : lineEnd);
  if (call.stream !== null) {
    const sender = new BodySender(socket, call.stream, events);
    socket.cork();
    socket.write(head, 'latin1');
    sender.begin();
    socket.uncork();
    return sender;
  }
  const { bytes } = call;
  if (bytes === null || bytes.length === 0) socket.write(head, 'latin1');
  else if (bytes.length <= oneWriteBytes) socket.write(joined(head, bytes));
  else {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(bytes);
    socket.uncork();
  }
  return null;
}

function joined(head: string, bytes: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(head.length + bytes.length);
  message.write(head, 'latin1');
  message.set(bytes, head.length);
  return message;
}
