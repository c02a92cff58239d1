// Words of the predicate language.

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'comparison' | 'sign' | 'end';
  /** Of a text, without its quotes. */
  readonly text: string;
  /** NaN unless it is one. */
  readonly number: number;
  readonly offset: number;
}

/** Characters of an expression: far more than anybody writes. */
const maxLength = 2000;

// Sticky, one alternative for each kind of token.
const pattern =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?|\.\d+)|"([^"\\]*)"|`([^`]*)`|(==|!=|<=|>=|<|>)|(&&|\|\||[(),]))/y;

/** Ends with a token of the kind `end`. Throws `Error` at the first thing that is no token. */
export function tokenize(text: string): readonly Token[] {
  if (text.length > maxLength) throw new Error(`longer than ${maxLength} characters`);
  const tokens: Token[] = [];
  const rest = text.trimEnd();
  pattern.lastIndex = 0;
  let at = 0;
  while (at < rest.length) {
    const match = pattern.exec(rest);
    if (match === null) throw new Error(`at character ${firstInk(rest, at) + 1}: not understood`);
    at = pattern.lastIndex;
    tokens.push(toToken(match));
  }
  tokens.push({ kind: 'end', text: 'the end', number: Number.NaN, offset: rest.length });
  return tokens;
}

function toToken(match: RegExpExecArray): Token {
  const [all, name, number, quoted, raw, comparison, sign] = match;
  const offset = match.index + all.length - all.trimStart().length;
  const make = (kind: Token['kind'], text: string): Token => ({
    kind,
    text,
    number: kind === 'number' ? Number(text) : Number.NaN,
    offset,
  });
  if (name !== undefined) return make('name', name);
  if (number !== undefined) return make('number', number);
  if (comparison !== undefined) return make('comparison', comparison);
  if (sign !== undefined) return make('sign', sign);
  return make('text', quoted ?? raw ?? '');
}

function firstInk(text: string, from: number): number {
  const found = text.slice(from).search(/\S/);
  return found === -1 ? from : from + found;
}
