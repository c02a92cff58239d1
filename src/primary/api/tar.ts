// A tar archive of a few small files (POSIX ustar), and no more than that.

const block = 512;
/** Bytes: eleven octal digits of the size field. */
const maxSize = 8 ** 11 - 1;

export interface TarFile {
  /** At most 100 bytes, ASCII. */
  readonly name: string;
  readonly content: Buffer;
}

/** `now` in seconds since 1970. Throws `Error` for a name or content the format has no room for. */
export function tar(files: readonly TarFile[], now: number): Buffer {
  const blocks = files.flatMap(({ name, content }) => [
    header(name, content.length, now),
    content,
    Buffer.alloc((block - (content.length % block)) % block),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * block)]);
}

function header(name: string, size: number, now: number): Buffer {
  if (name.length > 100 || size > maxSize) throw new Error('a file does not fit into a tar archive');
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number): void => {
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  bytes.write(name, 0, 'latin1');
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(now), 136, 12);
  bytes.write('0', 156, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  // The sum is taken with spaces in its own place.
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
