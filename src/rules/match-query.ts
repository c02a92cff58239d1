// Reads the query string in place: no map of it is ever made.

/** Whether any value of `key` passes `test`. A pair with a broken escape doesn't count, as in Go. */
export function anyQueryValue(search: string, key: string, test: (value: string) => boolean): boolean {
  let at = search.startsWith('?') ? 1 : 0;
  while (at < search.length) {
    const end = endOfPair(search, at);
    if (hasKey(search, at, end, key)) {
      const value = valueOfPair(search, at, end);
      if (value !== null && test(value)) return true;
    }
    at = end + 1;
  }
  return false;
}

/** First value of `key`, or null. */
export function firstQueryValue(search: string, key: string): string | null {
  let first: string | null = null;
  anyQueryValue(search, key, (value) => {
    first = value;
    return true;
  });
  return first;
}

const ampersand = 0x26;
const semicolon = 0x3b;
const equals = 0x3d;
const percent = 0x25;
const plus = 0x2b;

function endOfPair(search: string, from: number): number {
  for (let i = from; i < search.length; i += 1) {
    const code = search.charCodeAt(i);
    if (code === ampersand || code === semicolon) return i;
  }
  return search.length;
}

function hasKey(search: string, from: number, end: number, key: string): boolean {
  if (from === end) return false;
  let escaped = false;
  let i = from;
  for (; i < end; i += 1) {
    const code = search.charCodeAt(i);
    if (code === equals) break;
    if (code === percent || code === plus) escaped = true;
  }
  if (!escaped) return i - from === key.length && search.startsWith(key, from);
  return decode(search.slice(from, i)) === key;
}

function valueOfPair(search: string, from: number, end: number): string | null {
  // Not `indexOf`: of a query without `=` each pair would be searched to the end of all of them.
  for (let i = from; i < end; i += 1) {
    if (search.charCodeAt(i) === equals) return decode(search.slice(i + 1, end));
  }
  return '';
}

/** Null for a broken escape. Bytes that are not UTF-8 become U+FFFD. */
function decode(text: string): string | null {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text;
  let bytes = '';
  let isAscii = true;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code !== percent) {
      bytes += code === plus ? ' ' : text[i];
      continue;
    }
    const byte = hexDigit(text.charCodeAt(i + 1)) * 16 + hexDigit(text.charCodeAt(i + 2));
    if (Number.isNaN(byte)) return null;
    if (byte >= 0x80) isAscii = false;
    bytes += String.fromCharCode(byte);
    i += 2;
  }
  return isAscii ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** NaN when it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}
