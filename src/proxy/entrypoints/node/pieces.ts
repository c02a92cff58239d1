// Copies of body pieces for Node to hold until they are written. Fresh ones of 64 KiB would be collected far too
// late: a download of 1 GiB took a worker past 190 MB.

import { maxPooledPieces, pooledPieceBytes } from './limits.ts';

/** Below this Node's own slabs serve as well. */
const smallBytes = 2048;
const free: Buffer[] = [];

interface PieceWriter {
  write(chunk: Uint8Array, written: (error?: Error | null) => void): boolean;
}

/** Writes a copy of `chunk`, which is the caller's again on return; what `write` said. */
export function writePiece(to: PieceWriter, chunk: Uint8Array): boolean {
  const { length } = chunk;
  if (length < smallBytes || length > pooledPieceBytes) return to.write(Buffer.from(chunk), ignore);
  const whole = free.pop() ?? Buffer.allocUnsafeSlow(pooledPieceBytes);
  whole.set(chunk);
  return to.write(whole.subarray(0, length), (error) => {
    // Of a connection that broke the system may still be reading.
    if (error === undefined || error === null) giveBack(whole);
  });
}

function giveBack(whole: Buffer): void {
  if (free.length < maxPooledPieces) free.push(whole);
}

function ignore(): void {}
