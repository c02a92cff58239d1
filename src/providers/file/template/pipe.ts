// What stands between the braces: declarations, commands joined by `|`, and their operands.

import { TemplateError } from './error.ts';
import type { Token } from './lexer.ts';

export interface Pipe {
  /** `$x :=` declares, `$x =` sets one declared before; `range $i, $e :=` has two. */
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly Command[];
  readonly offset: number;
}

/** A function with its arguments, or one value alone. */
export interface Command {
  readonly operands: readonly Operand[];
  readonly offset: number;
}

export type Operand =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null; readonly offset: number }
  | { readonly kind: 'function'; readonly name: string; readonly offset: number }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly fields: readonly string[];
      readonly offset: number;
    }
  | { readonly kind: 'dot'; readonly fields: readonly string[]; readonly offset: number }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly offset: number };

/** Parentheses in parentheses. */
const maxDepth = 100;

/** Throws TemplateError. `use` says what stands before the pipe: `print`, `if`, `with`, `range`. */
export function parsePipe(tokens: readonly Token[], offset: number, use: string): Pipe {
  const cursor: Cursor = { tokens, at: 0, end: offset };
  const pipe = readPipe(cursor, offset, use, 0);
  const left = cursor.tokens[cursor.at];
  if (left !== undefined)
    throw new TemplateError(`unexpected ${JSON.stringify(left.text.slice(0, 40))}`, left.offset);
  return pipe;
}

interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
  readonly end: number;
}

function readPipe(cursor: Cursor, offset: number, use: string, depth: number): Pipe {
  if (depth > maxDepth) throw new TemplateError(`more than ${maxDepth} parentheses in parentheses`, offset);
  const { variables, declares } = depth === 0 ? readTargets(cursor, use) : { variables: [], declares: false };
  const commands: Command[] = [readCommand(cursor, offset, depth)];
  while (isSymbol(cursor, '|')) {
    cursor.at += 1;
    const command = readCommand(cursor, offset, depth);
    if (command.operands[0]?.kind !== 'function')
      throw new TemplateError('only a function may follow |', command.offset);
    commands.push(command);
  }
  return { variables, declares, commands, offset };
}

function readTargets(cursor: Cursor, use: string): { variables: string[]; declares: boolean } {
  const [first, second, third, fourth] = cursor.tokens;
  if (first?.kind !== 'variable') return { variables: [], declares: false };
  if (second?.kind === 'symbol' && (second.text === ':=' || second.text === '=')) {
    cursor.at = 2;
    return { variables: [first.text], declares: second.text === ':=' };
  }
  const isPair =
    second?.text === ',' && third?.kind === 'variable' && (fourth?.text === ':=' || fourth?.text === '=');
  if (!isPair) return { variables: [], declares: false };
  if (use !== 'range') throw new TemplateError('two variables are for range only', first.offset);
  cursor.at = 4;
  return { variables: [first.text, third.text], declares: fourth.text === ':=' };
}

function readCommand(cursor: Cursor, offset: number, depth: number): Command {
  const operands: Operand[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token === undefined || (token.kind === 'symbol' && token.text !== '(')) break;
    operands.push(readOperand(cursor, token, depth));
  }
  const first = operands[0];
  if (first === undefined)
    throw new TemplateError('a value is missing', cursor.tokens[cursor.at]?.offset ?? offset);
  if (operands.length > 1 && first.kind !== 'function') {
    throw new TemplateError('only a function takes arguments', first.offset);
  }
  return { operands, offset: first.offset };
}

function readOperand(cursor: Cursor, token: Token, depth: number): Operand {
  cursor.at += 1;
  const { offset, text } = token;
  switch (token.kind) {
    case 'string':
      return { kind: 'value', value: text, offset };
    case 'number':
      return { kind: 'value', value: Number(text), offset };
    case 'word':
      if (text === 'true' || text === 'false') return { kind: 'value', value: text === 'true', offset };
      return text === 'nil'
        ? { kind: 'value', value: null, offset }
        : { kind: 'function', name: text, offset };
    case 'variable':
      return { kind: 'variable', name: text, fields: readFields(cursor), offset };
    case 'field':
      return {
        kind: 'dot',
        fields: [...(text === '.' ? [] : [text.slice(1)]), ...readFields(cursor)],
        offset,
      };
    default: {
      const pipe = readPipe(cursor, offset, 'parentheses', depth + 1);
      if (!isSymbol(cursor, ')')) throw new TemplateError('this ( is never closed', offset);
      cursor.at += 1;
      return { kind: 'pipe', pipe, offset };
    }
  }
}

function readFields(cursor: Cursor): string[] {
  const fields: string[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (token?.kind !== 'field' || token.spaced || token.text === '.') return fields;
    fields.push(token.text.slice(1));
    cursor.at += 1;
  }
}

function isSymbol(cursor: Cursor, text: string): boolean {
  const token = cursor.tokens[cursor.at];
  return token?.kind === 'symbol' && token.text === text;
}
