// Double-quoted string literals with Go's escapes.

import type { Token } from './lexer.ts';
import type { RuleError } from './subject.ts';

/** The literal that begins with the double quote at `at`. Its value is UTF-8; broken bytes become U+FFFD. */
export function readQuoted(text: string, at: number): Token | RuleError {
  const bytes: number[] = [];
  let i = at + 1;
  while (i < text.length && text[i] !== '\n') {
    if (text[i] === '"') {
      return { kind: 'string', value: Buffer.from(bytes).toString('utf8'), offset: at, end: i + 1 };
    }
    if (text[i] === '\\') {
      const escape = readGoEscape(text, i);
      if (escape === null) return badEscape(text, i);
      for (const byte of escape.bytes) bytes.push(byte);
      i = escape.end;
      continue;
    }
    const char = String.fromCodePoint(text.codePointAt(i) ?? 0);
    for (const byte of Buffer.from(char, 'utf8')) bytes.push(byte);
    i += char.length;
  }
  return {
    message: 'a double quote is not closed',
    offset: at,
    hint: 'end the argument with a double quote',
  };
}

const simple: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '"': 34,
};

function readGoEscape(text: string, at: number): { bytes: Iterable<number>; end: number } | null {
  const code = simple[text[at + 1] ?? ''];
  if (code !== undefined) return { bytes: [code], end: at + 2 };
  const numeric = /^\\(?:([0-7]{3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/.exec(
    text.slice(at, at + 10),
  );
  if (numeric === null) return null;
  const [written, octal, hex, short, long] = numeric;
  const end = at + written.length;
  const byte = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex ?? '', 16);
  if (octal !== undefined || hex !== undefined) return byte > 255 ? null : { bytes: [byte], end };
  const point = Number.parseInt(short ?? long ?? '', 16);
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
  return { bytes: Buffer.from(String.fromCodePoint(point), 'utf8'), end };
}

function badEscape(text: string, at: number): RuleError {
  const written = text.slice(at, at + 2);
  return {
    message: `unknown escape sequence ${written} in a double-quoted argument`,
    offset: at,
    hint: `use back-quotes, in which a backslash is only a backslash, or write \\${written}`,
  };
}
