// A whole file as text, bounded.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes of one file, unless said. */
export const maxFileBytes: number = 8 * 1024 * 1024;

/** Throws the file system's error, or `Error` when the file is too large, a pipe or a device. */
export function readText(path: string, maxBytes: number = maxFileBytes): string {
  // Opening a pipe that nobody writes to would wait for ever, and the whole primary with it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    // Reading a directory says better what is wrong.
    if (!found.isFile() && !found.isDirectory()) throw new Error('it is a pipe or a device, expected a file');
    const { size } = found;
    const buffer = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1);
    let filled = 0;
    for (;;) {
      const count = readSync(file, buffer, filled, buffer.length - filled, null);
      filled += count;
      if (count === 0 || filled === buffer.length) break;
    }
    if (filled > maxBytes || size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, filled);
  } finally {
    closeSync(file);
  }
}
