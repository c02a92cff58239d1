// Cuts a rule into tokens the way Go's scanner does, comments and ends of lines included.

import { readQuoted } from './go-string.ts';
import type { RuleError } from './subject.ts';

export type TokenKind = 'name' | 'string' | '(' | ')' | ',' | '&&' | '||' | '!' | 'newline' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The value of a string, the text of anything else. */
  readonly value: string;
  readonly offset: number;
  readonly end: number;
}

export type LexResult = { ok: true; tokens: readonly Token[] } | { ok: false; error: RuleError };

/** The last token is always `end`. A `newline` stands only where Go would end the expression. */
export function lexRule(text: string): LexResult {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = readBlank(text, at);
    if (blank > at) {
      if (text.slice(at, blank).includes('\n') && endsOperand(tokens.at(-1))) {
        tokens.push({ kind: 'newline', value: '\n', offset: at, end: blank });
      }
      at = blank;
      continue;
    }
    const next = readToken(text, at);
    if ('message' in next) return { ok: false, error: next };
    tokens.push(next);
    at = next.end;
  }
  tokens.push({ kind: 'end', value: '', offset: text.length, end: text.length });
  return { ok: true, tokens };
}

function endsOperand(token: Token | undefined): boolean {
  return token !== undefined && (token.kind === 'name' || token.kind === 'string' || token.kind === ')');
}

/** End of the blanks or the comment that begins at `at`. */
function readBlank(text: string, at: number): number {
  let end = at;
  while (end < text.length && ' \t\r\n'.includes(text[end] as string)) end += 1;
  if (end > at) return end;
  if (text.startsWith('//', at)) {
    const line = text.indexOf('\n', at);
    return line === -1 ? text.length : line;
  }
  if (text.startsWith('/*', at)) {
    const close = text.indexOf('*/', at + 2);
    return close === -1 ? at : close + 2;
  }
  return at;
}

function readToken(text: string, at: number): Token | RuleError {
  const char = text[at] as string;
  if (char === '(' || char === ')' || char === ',' || char === '!') {
    return { kind: char, value: char, offset: at, end: at + 1 };
  }
  if (text.startsWith('&&', at)) return { kind: '&&', value: '&&', offset: at, end: at + 2 };
  if (text.startsWith('||', at)) return { kind: '||', value: '||', offset: at, end: at + 2 };
  if (char === '`') return readRaw(text, at);
  if (char === '"') return readQuoted(text, at);
  const name = /^[A-Za-z_][0-9A-Za-z_]*/.exec(text.slice(at, at + 256))?.[0];
  if (name !== undefined) return { kind: 'name', value: name, offset: at, end: at + name.length };
  return {
    message: `unexpected ${JSON.stringify(wholeCharacter(text, at))}`,
    offset: at,
    ...hintFor(text, at),
  };
}

function readRaw(text: string, at: number): Token | RuleError {
  const close = text.indexOf('`', at + 1);
  if (close === -1) {
    return {
      message: 'a back-quote is not closed',
      offset: at,
      hint: 'end the argument with a back-quote: `…`',
    };
  }
  // As Go does: a raw string holds no carriage returns.
  const value = text.slice(at + 1, close).replaceAll('\r', '');
  return { kind: 'string', value, offset: at, end: close + 1 };
}

function wholeCharacter(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function hintFor(text: string, at: number): { hint?: string } {
  const char = text[at];
  const unquoted = unquotedAround(text, at);
  if (unquoted !== null && !/[‘’“”]/.test(unquoted)) {
    return { hint: `put arguments in back-quotes: \`${unquoted}\`` };
  }
  if (char === "'") {
    const inner = /^'([^'`]{1,200})'/.exec(text.slice(at, at + 202))?.[1];
    return { hint: `use back-quotes instead of single quotes: \`${inner ?? '…'}\`` };
  }
  if (char === '&') return { hint: 'write `&&` for "and"' };
  if (char === '|') return { hint: 'write `||` for "or"' };
  if (char === ';') return { hint: 'v1 separated matchers with `;`; write `&&`' };
  if (char === ':') return { hint: 'v1 wrote Host:a.b; write Host(`a.b`)' };
  if (char === '‘' || char === '’' || char === '“' || char === '”') {
    return { hint: 'typographic quotes are not quotes here; use back-quotes' };
  }
  return {};
}

/** The bare text between brackets or commas around `at`; null when it isn't inside an argument. */
function unquotedAround(text: string, at: number): string | null {
  const before = /[(,]\s*([^\s(),`"']{0,200})$/.exec(text.slice(Math.max(0, at - 202), at));
  if (before === null) return null;
  const after = /^[^\s(),`"']{1,200}/.exec(text.slice(at, at + 200))?.[0] ?? '';
  return after === '' ? null : `${before[1]}${after}`;
}
