// Percent-encoding of paths and queries as Go's net/url does it, and what counts as a clean path.

/** `text` as a path's bytes, everything that may not stand in one escaped; `%` is a plain character here. */
export function escapePath(text: string | Uint8Array): string {
  let escaped = '';
  for (const byte of typeof text === 'string' ? Buffer.from(text, 'utf8') : text)
    escaped += isPlain(byte) ? String.fromCharCode(byte) : hex(byte);
  return escaped;
}

/** A query's value as Go's url.QueryEscape has it. */
export function escapeQuery(value: string): string {
  return encodeURIComponent(value)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** The bytes (one char each) that an escaped path stands for, or null on a broken escape. */
export function unescapeBytes(path: string): string | null {
  if (!path.includes('%')) return path;
  let bytes = '';
  for (let i = 0; i < path.length; i++) {
    if (path.charCodeAt(i) !== 0x25) {
      bytes += path[i];
      continue;
    }
    const byte = escapedByte(path, i);
    if (byte === -1) return null;
    bytes += String.fromCharCode(byte);
    i += 2;
  }
  return bytes;
}

/** Value of the escape that begins at `at`, or -1. */
export function escapedByte(path: string, at: number): number {
  const high = hexDigit(path.charCodeAt(at + 1));
  const low = hexDigit(path.charCodeAt(at + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

/** A path in escaped form that needs no more escaping: no space, control, quote, `?`, `#` or 8-bit byte. */
export function isEscaped(path: string): boolean {
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/]|%[0-9A-Fa-f]{2})*$/.test(path);
}

/** No empty, `.` or `..` segment; a final slash may stand. `%2F` is no separator. */
export function isClean(path: string): boolean {
  if (!path.includes('//') && !path.includes('/.')) return true;
  if (path.includes('//')) return false;
  return !/\/\.{1,2}(?:\/|$)/.test(path);
}

function isPlain(byte: number): boolean {
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return (
    isLetter ||
    (byte >= 0x30 && byte <= 0x39) ||
    (byte < 0x80 && '-_.~$&+,/:;=@'.includes(String.fromCharCode(byte)))
  );
}

function hex(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
