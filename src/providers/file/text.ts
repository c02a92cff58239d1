// A whole file as text, bounded.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes of one file. */
export const maxFileBytes: number = 8 * 1024 * 1024;

/** Throws the file system's error, or `Error` when the file is too large. */
export function readText(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    // A pipe or device called x.yml has no size to trust: it gets the same buffer as everything else.
    const buffer = Buffer.allocUnsafe(Math.min(size, maxFileBytes) + 1);
    let filled = 0;
    for (;;) {
      const count = readSync(file, buffer, filled, buffer.length - filled, null);
      filled += count;
      if (count === 0 || filled === buffer.length) break;
    }
    if (filled > maxFileBytes || size > maxFileBytes)
      throw new Error(`it is larger than ${maxFileBytes} bytes`);
    return buffer.toString('utf8', 0, filled);
  } finally {
    closeSync(file);
  }
}
