// A server's answer to a handshake that it does not follow.

import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors.ts';
import { maxRefusalBytes } from '../limits.ts';

/**
 * Gives `whole` the body, or `failed` the reason why it is not whole, longer than `maxRefusalBytes`, or no refusal:
 * the library calls a 101 that names no protocol an answer like others, and to its client it would be a switch.
 */
export function readRefusal(
  response: IncomingMessage,
  whole: (body: Buffer) => void,
  failed: (error: Error) => void,
): void {
  response.on('error', failed);
  const { statusCode = 0 } = response;
  if (statusCode < 200) {
    const isSwitch = statusCode === 101;
    failed(
      new GatewayError(
        isSwitch ? 'upstream.bad_upgrade' : 'upstream.malformed',
        isSwitch ? 'no protocol' : 'status',
      ),
    );
    response.destroy();
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxRefusalBytes) chunks.push(chunk);
    else response.destroy(new GatewayError('upstream.malformed', 'the refusal is longer than its bound'));
  });
  const { socket } = response;
  response.on('end', () => {
    // `Connection: Upgrade` has the library leave it open, and nobody uses it again.
    socket.destroy();
    whole(Buffer.concat(chunks));
  });
}
