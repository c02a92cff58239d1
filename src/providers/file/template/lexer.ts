// Go template text → plain text and the tokens between `{{` and `}}`.

import { TemplateError } from './error.ts';

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly offset: number };

export interface Token {
  readonly kind: 'word' | 'field' | 'variable' | 'string' | 'number' | 'symbol';
  /** A string's value without its quotes; everything else as written. */
  readonly text: string;
  readonly offset: number;
  /** Whether blank stands before it: `$x .y` and `$x.y` differ. */
  readonly spaced: boolean;
}

const blank = /[ \t\r\n]/;

/** Throws TemplateError. */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = open === -1 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    if (open === -1) {
      if (text !== '') pieces.push({ kind: 'text', text });
      return pieces;
    }
    const trimBefore = source[open + 2] === '-' && blank.test(source[open + 3] ?? '');
    if (trimBefore) text = text.trimEnd();
    if (text !== '') pieces.push({ kind: 'text', text });
    const start = open + (trimBefore ? 3 : 2);
    const end = readAction(source, open, start, pieces);
    trimNext = end.trim;
    at = end.at;
  }
}

interface ActionEnd {
  /** Where the text goes on. */
  readonly at: number;
  readonly trim: boolean;
}

function readAction(source: string, open: number, start: number, pieces: Piece[]): ActionEnd {
  const commentAt = skipBlank(source, start);
  if (source.startsWith('/*', commentAt)) return readComment(source, open, commentAt);
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const next = skipBlank(source, at);
    const end = closing(source, next, next > at);
    if (end !== null) {
      pieces.push({ kind: 'action', tokens, offset: open });
      return end;
    }
    if (next >= source.length) throw new TemplateError('this {{ is never closed with }}', open);
    const token = readToken(source, next, next > at);
    tokens.push(token.token);
    at = token.end;
  }
}

function readComment(source: string, open: number, commentAt: number): ActionEnd {
  const close = source.indexOf('*/', commentAt + 2);
  if (close === -1) throw new TemplateError('this comment is never closed with */', open);
  const after = skipBlank(source, close + 2);
  const end = closing(source, after, after > close + 2);
  if (end === null) throw new TemplateError('a comment must end with */}}', open);
  return end;
}

function closing(source: string, at: number, spaced: boolean): ActionEnd | null {
  if (source.startsWith('}}', at)) return { at: at + 2, trim: false };
  return spaced && source.startsWith('-}}', at) ? { at: at + 3, trim: true } : null;
}

function skipBlank(source: string, at: number): number {
  let next = at;
  while (next < source.length && blank.test(source[next] as string)) next += 1;
  return next;
}

const shapes: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y],
  ['variable', /\$[A-Za-z0-9_]*/y],
  ['field', /\.(?:[A-Za-z_][A-Za-z0-9_]*)?/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['symbol', /:=|[=|(),]/y],
];

function readToken(source: string, offset: number, spaced: boolean): { token: Token; end: number } {
  const first = source[offset] as string;
  if (first === '`' || first === '"') {
    const read = first === '`' ? readRaw(source, offset) : readQuoted(source, offset);
    return { token: { kind: 'string', text: read.text, offset, spaced }, end: read.end };
  }
  for (const [kind, shape] of shapes) {
    shape.lastIndex = offset;
    const match = shape.exec(source);
    if (match === null) continue;
    return { token: { kind, text: match[0], offset, spaced }, end: offset + match[0].length };
  }
  throw new TemplateError(`unexpected character ${JSON.stringify(first)}`, offset);
}

function readRaw(source: string, offset: number): { text: string; end: number } {
  const close = source.indexOf('`', offset + 1);
  if (close === -1) throw new TemplateError('this ` is never closed', offset);
  return { text: source.slice(offset + 1, close), end: close + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

function readQuoted(source: string, offset: number): { text: string; end: number } {
  let text = '';
  let at = offset + 1;
  for (;;) {
    const char = source[at];
    if (char === undefined || char === '\n') throw new TemplateError('this " is never closed', offset);
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\') {
      text += char;
      at += 1;
      continue;
    }
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(source.slice(at + 1, at + 6));
    const simple = escapes[source[at + 1] ?? ''];
    if (code !== null) {
      text += String.fromCharCode(Number.parseInt(code[1] ?? (code[2] as string), 16));
      at += 1 + code[0].length;
    } else if (simple !== undefined) {
      text += simple;
      at += 2;
    } else throw new TemplateError('unknown escape in a quoted text', at);
  }
}
