// What a worker says on standard error, passed on but for one line of the engine's that means nothing.

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * uWebSockets.js prints this whenever a handshake is accepted outside of its `cork`. Inside of it, it reads
 * the state of the response that has just become a WebSocket and may close it at once.
 */
const engineNoise = /^Warning: uWS\.HttpResponse writes must be made from within a corked callback/;

export function relayErrors(from: Readable | null | undefined): void {
  if (from === null || from === undefined) return;
  createInterface({ input: from }).on('line', (line) => {
    if (!engineNoise.test(line)) process.stderr.write(`${line}\n`);
  });
}
