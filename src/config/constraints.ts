// Expressions over a container's labels: Label(`k`,`v`), LabelRegex(`k`,`re`), `!`, `&&`, `||`, parentheses.

import { compileRegexp } from '../rules/regexp.ts';
import { parseRule } from '../rules/parser.ts';
import type { ParsedCall, ParsedNode } from '../rules/parser.ts';

type Labels = Readonly<Record<string, string>>;

export type Constraint = (labels: Labels) => boolean;

export type ConstraintResult =
  | { readonly ok: true; readonly matches: Constraint }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

/** UTF-16 units; nesting is bounded as that of rules is, at 100. */
const maxConstraintLength = 8192;

/** Empty text matches all. Labels compare in their case; a label that isn't there matches nothing. Never throws. */
export function parseConstraints(text: string): ConstraintResult {
  if (text.trim() === '') return { ok: true, matches: () => true };
  if (text.length > maxConstraintLength)
    return { ok: false, message: `it is longer than ${maxConstraintLength} characters` };
  const parsed = parseRule(text);
  if (!parsed.ok) {
    const { message, offset, hint } = parsed.error;
    const at = `character ${offset + 1}: ${message}`;
    // Hints of the rule language name its own matchers.
    return { ok: false, message: at, ...(hint === undefined || hint.includes('Host(') ? {} : { hint }) };
  }
  return compile(parsed.node);
}

function compile(node: ParsedNode): ConstraintResult {
  if (node.kind === 'call') return compileCall(node);
  if (node.kind === 'not') {
    const child = compile(node.child);
    if (!child.ok) return child;
    return { ok: true, matches: (labels) => !child.matches(labels) };
  }
  const parts: Constraint[] = [];
  for (const child of node.children) {
    const compiled = compile(child);
    if (!compiled.ok) return compiled;
    parts.push(compiled.matches);
  }
  return node.kind === 'and'
    ? { ok: true, matches: (labels) => parts.every((part) => part(labels)) }
    : { ok: true, matches: (labels) => parts.some((part) => part(labels)) };
}

function compileCall({ name, args, offset }: ParsedCall): ConstraintResult {
  const at = `character ${offset + 1}`;
  if (name !== 'Label' && name !== 'LabelRegex') {
    const isOld = /^(tag|tagregex)$/i.test(name);
    return {
      ok: false,
      message: `${at}: unknown function ${name.slice(0, 40)}`,
      hint: isOld ? 'containers have labels, no tags: write Label(`key`, `value`)' : only,
    };
  }
  const [key, value] = args;
  if (key === undefined || value === undefined || args.length !== 2)
    return { ok: false, message: `${at}: ${name} takes 2 arguments, ${args.length} given`, hint: only };
  if (name === 'Label')
    return { ok: true, matches: (labels) => Object.hasOwn(labels, key) && labels[key] === value };
  const compiled = compileRegexp(value);
  if (!compiled.ok) {
    const { message, hint } = compiled;
    return { ok: false, message: `${at}: ${message}`, ...(hint === undefined ? {} : { hint }) };
  }
  const { regexp } = compiled;
  return {
    ok: true,
    matches: (labels) => Object.hasOwn(labels, key) && regexp.test(labels[key] as string),
  };
}

const only = 'there are Label(`key`, `value`) and LabelRegex(`key`, `expression`)';
