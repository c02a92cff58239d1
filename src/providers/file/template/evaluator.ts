// Runs a parsed template. Bounded: a template is configuration, not a program.

import { nearest } from '../../../config/decode/unknown-keys.ts';
import { TemplateError } from './error.ts';
import { maxTextLength } from './arguments.ts';
import { functions } from './functions.ts';
import { sizeOf } from './size.ts';
import type { Branch, TemplateNode } from './parser.ts';
import type { Command, Operand, Pipe } from './pipe.ts';
import type { Value, ValueMap } from './values.ts';
import { isList, isMap, isTrue, print, sortedKeys } from './values.ts';

/** Nodes, list items and function calls of one template, and what these work on: `sizePerStep` is one. */
export const maxSteps = 1_000_000;
/** Characters or items: without them a loop over one long text goes on for hours. */
const sizePerStep = 128;
/** Characters of output. */
export const maxOutput: number = maxTextLength;

/** Throws TemplateError. `top` is what `.` means at the top; null: nothing. */
export function runTemplate(
  nodes: readonly TemplateNode[],
  env: NodeJS.ProcessEnv,
  top: ValueMap | null = null,
): string {
  const scopes = [new Map<string, Value>([['$', top]])];
  const run: Run = { env, top, scopes, out: [], length: 0, steps: 0 };
  runNodes(nodes, top, run);
  return run.out.join('');
}

interface Run {
  readonly env: NodeJS.ProcessEnv;
  readonly top: ValueMap | null;
  readonly scopes: Map<string, Value>[];
  readonly out: string[];
  length: number;
  steps: number;
}

function step(run: Run, offset: number, count = 1): void {
  run.steps += count;
  if (run.steps > maxSteps) throw new TemplateError(`the template takes more than ${maxSteps} steps`, offset);
}

function stepBySize(run: Run, offset: number, size: number): void {
  if (size >= sizePerStep) step(run, offset, Math.floor(size / sizePerStep));
}

function write(run: Run, text: string, offset: number): void {
  run.length += text.length;
  if (run.length > maxOutput)
    throw new TemplateError(`the template writes more than ${maxOutput} characters`, offset);
  run.out.push(text);
}

function runNodes(nodes: readonly TemplateNode[], dot: Value, run: Run): void {
  for (const node of nodes) {
    if (node.kind === 'text') {
      step(run, 0);
      write(run, node.text, 0);
    } else if (node.kind === 'print') {
      const value = runPipe(node.pipe, dot, run);
      if (node.pipe.variables.length > 0) continue;
      stepBySize(run, node.offset, sizeOf(value));
      write(run, print(value), node.offset);
    } else inScope(run, () => runBranch(node, dot, run));
  }
}

function inScope(run: Run, body: () => void): void {
  run.scopes.push(new Map());
  body();
  run.scopes.pop();
}

function runBranch(node: Branch, dot: Value, run: Run): void {
  if (node.kind === 'range') {
    runRange(node, dot, run);
    return;
  }
  const value = runPipe(node.pipe, dot, run);
  const isMet = isTrue(value);
  const inner = node.kind === 'with' && isMet ? value : dot;
  runNodes(isMet ? node.body : node.otherwise, inner, run);
}

function runRange(node: Branch, dot: Value, run: Run): void {
  const { pipe } = node;
  const value = runCommands(pipe, dot, run);
  if (typeof value === 'number') step(run, node.offset, Math.max(0, value));
  const names = value !== null && isMap(value) ? sortedKeys(value) : null;
  const items =
    typeof value === 'number'
      ? Array.from({ length: Math.max(0, value) }, (_, index) => index)
      : (names?.map((name) => (value as ValueMap).get(name) ?? null) ?? value);
  if (items !== null && !isList(items))
    throw new TemplateError('range wants a list or a number', node.offset);
  if (items === null || items.length === 0) {
    runNodes(node.otherwise, dot, run);
    return;
  }
  for (const [index, item] of items.entries()) {
    step(run, node.offset);
    inScope(run, () => {
      const [first, second] = pipe.variables;
      if (second !== undefined) assign(run, pipe, first as string, names?.[index] ?? index);
      const name = second ?? first;
      if (name !== undefined) assign(run, pipe, name, item);
      runNodes(node.body, item, run);
    });
  }
}

function runPipe(pipe: Pipe, dot: Value, run: Run): Value {
  const value = runCommands(pipe, dot, run);
  const name = pipe.variables[0];
  if (name !== undefined) assign(run, pipe, name, value);
  return value;
}

function assign(run: Run, pipe: Pipe, name: string, value: Value): void {
  if (pipe.declares) {
    (run.scopes.at(-1) as Map<string, Value>).set(name, value);
    return;
  }
  const scope = run.scopes.findLast((candidate) => candidate.has(name));
  if (scope === undefined)
    throw new TemplateError(`the variable ${name} is set before := declares it`, pipe.offset);
  scope.set(name, value);
}

function runCommands(pipe: Pipe, dot: Value, run: Run): Value {
  let value: Value | undefined;
  for (const command of pipe.commands) value = runCommand(command, dot, value, run);
  return value ?? null;
}

function runCommand(command: Command, dot: Value, piped: Value | undefined, run: Run): Value {
  step(run, command.offset);
  const [first, ...rest] = command.operands;
  if (first?.kind !== 'function') return operandValue(first as Operand, dot, run);
  if (first.name === 'and' || first.name === 'or') return shortCircuit(first, rest, { dot, piped }, run);
  const args = rest.map((operand) => operandValue(operand, dot, run));
  if (piped !== undefined) args.push(piped);
  return callFunction(first, args, run);
}

interface Inputs {
  readonly dot: Value;
  readonly piped: Value | undefined;
}

type FunctionOperand = Operand & { readonly kind: 'function' };

/** `and` and `or` give the operand that decided. */
function shortCircuit(
  word: FunctionOperand,
  operands: readonly Operand[],
  { dot, piped }: Inputs,
  run: Run,
): Value {
  const stopsAt = word.name === 'or';
  let value: Value = null;
  for (const operand of operands) {
    value = operandValue(operand, dot, run);
    if (isTrue(value) === stopsAt) return value;
  }
  if (operands.length === 0 && piped === undefined)
    throw new TemplateError(`${word.name} wants a value`, word.offset);
  return piped ?? value;
}

function callFunction({ name, offset }: FunctionOperand, args: readonly Value[], run: Run): Value {
  const found = functions.get(name);
  if (found === undefined)
    throw new TemplateError(`the function ${name.slice(0, 40)} is not supported`, offset, hintFor(name));
  const [fewest, most] = found.arity;
  if (args.length < fewest || args.length > most) {
    const expected =
      fewest === most
        ? String(fewest)
        : most === Number.POSITIVE_INFINITY
          ? `${fewest} or more`
          : `${fewest} to ${most}`;
    throw new TemplateError(`${name} takes ${expected} arguments, ${args.length} given`, offset);
  }
  let size = 0;
  for (const arg of args) size += sizeOf(arg);
  stepBySize(run, offset, size);
  let value: Value;
  try {
    value = found.call(args, { env: run.env, step: (count) => step(run, offset, count) });
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    throw new TemplateError(`${name}: ${(error as Error).message}`, offset);
  }
  // A text kept in a variable never reaches the output's bound, and could double with every turn of a loop.
  if (typeof value === 'string' && value.length > maxTextLength)
    throw new TemplateError(`${name} makes a text of more than ${maxTextLength} characters`, offset);
  // Nor does a list, which doubles as well once it holds itself twice.
  if (sizeOf(value) > maxTextLength)
    throw new TemplateError(`${name}: makes a value of more than ${maxTextLength} characters`, offset);
  return value;
}

function hintFor(name: string): string {
  const names = ['and', 'or', ...functions.keys()];
  const near = nearest(name, names);
  if (near !== null) return `did you mean ${near}?`;
  return `there are ${names.sort().join(', ')}; to write {{ itself, use {{\`{{\`}}`;
}

function operandValue(operand: Operand, dot: Value, run: Run): Value {
  step(run, operand.offset);
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'pipe':
      return runCommands(operand.pipe, dot, run);
    case 'function':
      return callFunction(operand, [], run);
    case 'dot':
      return fieldOf(dot, operand, run);
    case 'variable': {
      const scope = run.scopes.findLast((candidate) => candidate.has(operand.name));
      if (scope === undefined)
        throw new TemplateError(`the variable ${operand.name} is not declared`, operand.offset);
      return fieldOf(scope.get(operand.name) ?? null, operand, run);
    }
  }
}

/** Of `.a.b` and `$x.a.b`: the top has the fields it has; any other map may lack a name. */
function fieldOf(
  from: Value,
  operand: { readonly fields: readonly string[]; readonly offset: number },
  run: Run,
): Value {
  let value = from;
  for (const [level, field] of operand.fields.entries()) {
    const shown = `.${operand.fields.slice(0, level + 1).join('.')}`.slice(0, 80);
    if (value === null || !isMap(value))
      throw new TemplateError(`${shown}: there are no fields here`, operand.offset);
    const found = value.get(field);
    if (found === undefined && value === run.top)
      throw new TemplateError(`${shown}: there are ${[...value.keys()].join(', ')}`, operand.offset);
    value = found ?? null;
  }
  return value;
}
