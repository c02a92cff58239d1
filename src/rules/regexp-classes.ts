// Character classes and single-character escapes of RE2, in JavaScript's spelling.

/** `\d`, `\s`, `\w`: ASCII only in RE2, and `\s` is without `\v`. */
export const classRanges: Readonly<Record<string, string>> = {
  d: '0-9',
  s: '\\t\\n\\f\\r\\x20',
  w: '0-9A-Za-z_',
};

const posixRanges: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t\\x20',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\t\\n\\v\\f\\r\\x20',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The bracketed class at `at`, rewritten; null when it holds what is better left to RE2. */
export function readClass(text: string, at: number): { source: string; end: number } | null {
  const negated = text[at + 1] === '^';
  let source = negated ? '[^' : '[';
  let i = at + (negated ? 2 : 1);
  for (let first = true; first || text[i] !== ']'; first = false) {
    if (i >= text.length) return null;
    const named = readNamedClass(text, i);
    if (named === 'odd') return null;
    if (named !== null) {
      source += named.ranges;
      i = named.end;
      continue;
    }
    const low = readClassChar(text, i);
    if (low === null) return null;
    i = low.end;
    source += literal(low.point);
    if (text[i] !== '-' || text[i + 1] === ']' || i + 1 >= text.length) continue;
    const high = readClassChar(text, i + 1);
    if (high === null) return null;
    i = high.end;
    source += `-${literal(high.point)}`;
  }
  return { source: `${source}]`, end: i + 1 };
}

/** One character as JavaScript source, inside or outside a class. */
export function literal(point: number): string {
  const isPlain =
    (point >= 0x30 && point <= 0x39) || (point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a);
  return isPlain ? String.fromCharCode(point) : `\\u{${point.toString(16)}}`;
}

/** The one character that the backslash at `at` stands for; null when it's something else. */
export function readEscape(text: string, at: number): { point: number; end: number } | null {
  const rest = text.slice(at + 1, at + 16);
  const letter = rest[0] ?? '';
  const control = controls[letter];
  if (control !== undefined) return { point: control, end: at + 2 };
  const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/.exec(rest);
  if (hex !== null) {
    const point = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    return { point, end: at + 1 + hex[0].length };
  }
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
  if (octal !== null) return { point: Number.parseInt(octal[0], 8), end: at + 1 + octal[0].length };
  const code = letter.charCodeAt(0);
  const isPunctuation = code > 0x20 && code < 0x7f && !/[0-9A-Za-z]/.test(letter);
  return isPunctuation ? { point: code, end: at + 2 } : null;
}

/** `[:alpha:]` or `\d` inside a class; 'odd' for the negated and Unicode ones. */
function readNamedClass(text: string, at: number): { ranges: string; end: number } | 'odd' | null {
  if (text.startsWith('[:', at)) {
    const end = text.indexOf(':]', at + 2);
    if (end === -1) return null;
    const ranges = posixRanges[text.slice(at + 2, end)];
    return ranges === undefined ? 'odd' : { ranges, end: end + 2 };
  }
  if (text[at] !== '\\') return null;
  const ranges = classRanges[text[at + 1] ?? ''];
  if (ranges !== undefined) return { ranges, end: at + 2 };
  return /[DSWpP]/.test(text[at + 1] ?? '') ? 'odd' : null;
}

function readClassChar(text: string, at: number): { point: number; end: number } | null {
  if (text[at] === '\\') return readEscape(text, at);
  const point = text.codePointAt(at) ?? 0;
  return { point, end: at + (point > 0xffff ? 2 : 1) };
}
