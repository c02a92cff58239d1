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
  const split = search.indexOf('=', from);
  return split === -1 || split >= end ? '' : decode(search.slice(split + 1, end));
}

/** Null for a broken escape. Bytes that are not UTF-8 become U+FFFD. */
function decode(text: string): string | null {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  const latin1 = text
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
