// Reads tokens into a tree: `!` binds tightest, then `&&`, then `||`.

import { lexRule, type Token } from './lexer.ts';
import type { RuleError } from './subject.ts';

export interface ParsedCall {
  readonly kind: 'call';
  /** As written. */
  readonly name: string;
  readonly args: readonly string[];
  readonly argOffsets: readonly number[];
  readonly offset: number;
  readonly end: number;
}

export type ParsedNode =
  | ParsedCall
  | { readonly kind: 'not'; readonly child: ParsedNode; readonly offset: number; readonly end: number }
  | { readonly kind: 'and' | 'or'; readonly children: readonly ParsedNode[] };

export type ParseResult = { ok: true; node: ParsedNode } | { ok: false; error: RuleError };

/** Longest rule taken, in UTF-16 units. */
export const maxRuleLength = 65_536;
/** Deepest nesting of groups and negations. */
export const maxRuleDepth = 100;

/** Never throws. */
export function parseRule(text: string): ParseResult {
  if (text.length > maxRuleLength) {
    return failure({ message: `rule is longer than ${maxRuleLength} characters`, offset: 0 });
  }
  const lexed = lexRule(text);
  if (!lexed.ok) return lexed;
  const state: State = { text, tokens: lexed.tokens, at: 0, error: null };
  if (peek(state).kind === 'end') {
    return failure({
      message: 'rule is empty',
      offset: 0,
      hint: 'write a matcher, for example Host(`example.com`)',
    });
  }
  const node = parseOr(state, 0);
  if (node !== null) expectEnd(state);
  if (state.error !== null) return failure(state.error);
  return node === null
    ? failure({ message: 'rule is not complete', offset: text.length })
    : { ok: true, node };
}

interface State {
  readonly text: string;
  readonly tokens: readonly Token[];
  at: number;
  /** The first error; parsing stops there. */
  error: RuleError | null;
}

function parseOr(state: State, depth: number): ParsedNode | null {
  return parseList(state, depth, 'or');
}

function parseList(state: State, depth: number, kind: 'and' | 'or'): ParsedNode | null {
  const operator = kind === 'and' ? '&&' : '||';
  const children: ParsedNode[] = [];
  do {
    const child = kind === 'or' ? parseList(state, depth, 'and') : parseUnary(state, depth);
    if (child === null) return null;
    children.push(child);
  } while (take(state, operator) !== null);
  return children.length === 1 ? (children[0] as ParsedNode) : { kind, children };
}

function parseUnary(state: State, depth: number): ParsedNode | null {
  const token = peek(state);
  if (depth > maxRuleDepth) return stop(state, token, `rule is nested deeper than ${maxRuleDepth} levels`);
  if (take(state, '!') !== null) {
    const child = parseUnary(state, depth + 1);
    const end = state.tokens[state.at - 1]?.end ?? token.end;
    return child === null ? null : { kind: 'not', child, offset: token.offset, end };
  }
  if (take(state, '(') !== null) {
    const inner = parseOr(state, depth + 1);
    if (inner === null) return null;
    if (take(state, ')') === null) return stopAtMissing(state, 'a group is not closed', 'add `)`');
    return inner;
  }
  if (token.kind === 'name') return parseCall(state);
  return stopAtOperand(state, token);
}

function parseCall(state: State): ParsedNode | null {
  const name = peek(state);
  state.at += 1;
  if (take(state, '(') === null) {
    return stop(
      state,
      name,
      `${name.value} is not called`,
      `write the argument in brackets: ${name.value}(\`…\`)`,
    );
  }
  const args: string[] = [];
  const argOffsets: number[] = [];
  while (peek(state).kind === 'string') {
    const token = peek(state);
    state.at += 1;
    args.push(token.value);
    argOffsets.push(token.offset);
    if (take(state, ',') === null) break;
  }
  const close = take(state, ')');
  if (close === null) return stopInArguments(state, name);
  return { kind: 'call', name: name.value, args, argOffsets, offset: name.offset, end: close.end };
}

function stopInArguments(state: State, name: Token): null {
  const token = peek(state);
  if (token.kind === 'name' || token.kind === '(') {
    const rest = state.text.slice(token.offset, token.offset + 200);
    const unquoted = /^[^\s(),`"']+/.exec(rest)?.[0] ?? '…';
    const hint = `put it in back-quotes: ${name.value}(\`${unquoted}\`)`;
    return stop(state, token, `an argument of ${name.value} is not quoted`, hint);
  }
  return stopAtMissing(state, `the brackets of ${name.value} are not closed`, 'add `)`');
}

function stopAtMissing(state: State, message: string, hint: string): null {
  const token = peek(state);
  if (token.kind === 'newline') return stopAtNewline(state, token);
  return stop(state, token, message, hint);
}

function stopAtOperand(state: State, token: Token): null {
  if (token.kind === 'end') {
    return stop(
      state,
      token,
      'a matcher is missing at the end',
      'add a matcher, or remove the last operator',
    );
  }
  if (token.kind === 'string') {
    const hint = `name the matcher: Host(\`${token.value.slice(0, 200)}\`)`;
    return stop(state, token, 'a quoted text stands where a matcher should', hint);
  }
  return stop(state, token, `unexpected "${token.value}" where a matcher should stand`);
}

function stopAtNewline(state: State, token: Token): null {
  return stop(
    state,
    token,
    'the rule ends with this line',
    'end the line with the operator, or write it all on one line',
  );
}

function expectEnd(state: State): void {
  if (peek(state).kind === 'newline' && state.tokens[state.at + 1]?.kind === 'end') return;
  const token = peek(state);
  if (token.kind === 'end') return;
  if (token.kind === 'newline') stopAtNewline(state, token);
  else if (token.kind === ')') stop(state, token, 'there is no group to close here', 'remove `)`');
  else stop(state, token, `unexpected "${token.value.slice(0, 200)}"`, 'join matchers with `&&` or `||`');
}

function peek(state: State): Token {
  return state.tokens[state.at] as Token;
}

function take(state: State, kind: Token['kind']): Token | null {
  const token = peek(state);
  if (token.kind !== kind) return null;
  state.at += 1;
  return token;
}

function stop(state: State, token: Token, message: string, hint?: string): null {
  state.error ??= { message, offset: token.offset, ...(hint === undefined ? {} : { hint }) };
  return null;
}

function failure(error: RuleError): { ok: false; error: RuleError } {
  return { ok: false, error };
}
