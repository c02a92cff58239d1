// A server's answer to a handshake that it does not follow.

import type { IncomingMessage } from 'node:http';
import { maxRefusalBytes } from '../limits.ts';

/** Gives `whole` the body, or `failed` the reason why it is not whole or longer than `maxRefusalBytes`. */
export function readRefusal(
  response: IncomingMessage,
  whole: (body: Buffer) => void,
  failed: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxRefusalBytes) chunks.push(chunk);
    else response.destroy(new Error('the refusal is longer than its bound'));
  });
  response.on('error', failed);
  response.on('end', () => whole(Buffer.concat(chunks)));
}
