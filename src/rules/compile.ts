// Turns the text of a rule into closures over a request, once, when configuration is loaded.

import type { RuleSyntax } from '../model/snapshot.ts';
import { findMatcher, hintForName } from './catalogue.ts';
import { type Limits, limitsOfAll, limitsOfAny, noLimits, unique } from './limits.ts';
import { type BuiltMatcher, MatcherFault, type MatcherKind } from './matcher.ts';
import { type ParsedCall, type ParsedNode, parseRule } from './parser.ts';
import type { RuleError, RuleMatch, RuleSubject } from './subject.ts';

export type { RuleError, RuleSubject } from './subject.ts';

export interface CallNode {
  readonly kind: 'call';
  /** Canonical: `PathPrefix`. */
  readonly matcher: string;
  readonly args: readonly string[];
  /** As written. */
  readonly text: string;
  readonly match: RuleMatch;
  /** What the matcher looks at in a request, without secrets. */
  readonly seen: (subject: RuleSubject) => string;
}

export interface NotNode {
  readonly kind: 'not';
  readonly child: RuleNode;
  readonly text: string;
  readonly match: RuleMatch;
}

export interface ListNode {
  readonly kind: 'and' | 'or';
  readonly children: readonly RuleNode[];
  readonly match: RuleMatch;
}

export type RuleNode = CallNode | NotNode | ListNode;

export interface CompiledRule extends Limits {
  readonly text: string;
  readonly ast: RuleNode;
  readonly match: RuleMatch;
  /** Every argument of `Host`, even negated, lower case, in order: the names certificates are wanted for. */
  readonly domains: readonly string[];
  /** What is accepted but surely not meant. */
  readonly warnings: readonly string[];
}

export type CompileResult = { ok: true; rule: CompiledRule } | { ok: false; error: RuleError };

/** Warnings kept of one rule, and the length of any text about it, in UTF-16 units. */
const maxWarnings = 20;
const maxMessageLength = 1_000;

/** Never throws. */
export function compileRule(text: string, syntax: RuleSyntax): CompileResult {
  const parsed = parseRule(text);
  if (!parsed.ok) return { ok: false, error: shortened(parsed.error) };
  const work: Work = { text, syntax, domains: [], warnings: [] };
  try {
    const { node, limits } = build(work, parsed.node, false);
    return {
      ok: true,
      rule: {
        text,
        ast: node,
        match: node.match,
        hosts: limits.hosts,
        wildcards: limits.wildcards,
        prefixes: limits.prefixes,
        domains: unique(work.domains),
        warnings: unique(work.warnings).slice(0, maxWarnings).map(shortenText),
      },
    };
  } catch (error) {
    if (error instanceof CallFault) return { ok: false, error: shortened(error.error) };
    throw error;
  }
}

interface Work {
  readonly text: string;
  readonly syntax: RuleSyntax;
  readonly domains: string[];
  readonly warnings: string[];
}

interface Built {
  readonly node: RuleNode;
  readonly limits: Limits;
}

class CallFault extends Error {
  readonly error: RuleError;

  constructor(error: RuleError) {
    super(error.message);
    this.error = error;
  }
}

function shortened(error: RuleError): RuleError {
  const { message, offset, hint } = error;
  const short = { message: shortenText(message), offset };
  return hint === undefined ? short : { ...short, hint: shortenText(hint) };
}

function shortenText(text: string): string {
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text;
}

/** `negated`: an odd number of `!` stands around the node. */
function build(work: Work, node: ParsedNode, negated: boolean): Built {
  if (node.kind === 'call') return buildCall(work, node, negated);
  if (node.kind === 'not') {
    const { node: child, limits } = build(work, node.child, !negated);
    const { match } = child;
    const text = work.text.slice(node.offset, node.end);
    return { node: { kind: 'not', child, text, match: (s) => !match(s) }, limits };
  }
  const built = node.children.map((child) => build(work, child, negated));
  const children = built.map((child) => child.node);
  const limits = built.map((child) => child.limits);
  // By De Morgan a negated `&&` is an `||` of what is negated below it.
  const isAll = (node.kind === 'and') !== negated;
  return {
    node: { kind: node.kind, children, match: listMatch(node.kind, children) },
    limits: isAll ? limitsOfAll(limits) : limitsOfAny(limits),
  };
}

function buildCall(work: Work, call: ParsedCall, negated: boolean): Built {
  const kind = findMatcher(call.name, work.syntax);
  if (kind === undefined) {
    const message = `unknown matcher ${call.name.slice(0, 100)}`;
    throw new CallFault({
      message,
      offset: call.offset,
      hint: hintForName(call.name.slice(0, 100), work.syntax),
    });
  }
  checkArguments(call, kind);
  const built = buildMatcher(call, kind);
  work.domains.push(...(kind.name === 'Host' ? (built.domains ?? []) : []));
  work.warnings.push(...(built.warnings ?? []));
  const text = work.text.slice(call.offset, call.end);
  const { match, seen } = built;
  return {
    node: { kind: 'call', matcher: kind.name, args: call.args, text, match, seen },
    limits: negated ? noLimits : (built.limits ?? noLimits),
  };
}

function buildMatcher(call: ParsedCall, kind: MatcherKind): BuiltMatcher {
  try {
    return kind.build(call.args);
  } catch (error) {
    if (!(error instanceof MatcherFault)) throw error;
    throw new CallFault({
      message: `${kind.name}: ${error.message}`,
      offset: call.argOffsets[error.argument] ?? call.offset,
      ...(error.hint === null ? {} : { hint: error.hint }),
    });
  }
}

function checkArguments(call: ParsedCall, kind: MatcherKind): void {
  const empty = call.args.indexOf('');
  if (empty !== -1) {
    const offset = call.argOffsets[empty] ?? call.offset;
    throw new CallFault({ message: `${kind.name} has an empty argument`, offset });
  }
  const count = call.args.length;
  if (count >= kind.minArgs && count <= kind.maxArgs) return;
  const expected = kind.minArgs === kind.maxArgs ? `${kind.minArgs}` : `${kind.minArgs} to ${kind.maxArgs}`;
  const hint = hintForCount(call, kind);
  throw new CallFault({
    message: `${kind.name} takes ${expected} argument(s), not ${count}`,
    offset: call.offset,
    ...(hint === null ? {} : { hint }),
  });
}

function hintForCount(call: ParsedCall, kind: MatcherKind): string | null {
  if (call.args.length === 0) return `write ${kind.name}(\`…\`)`;
  if (kind.maxArgs === 1) {
    const separate = call.args.slice(0, 10).map((arg) => `${kind.name}(\`${arg}\`)`);
    return `write ${separate.join(' || ')}${call.args.length > 10 ? ' || …' : ''}`;
  }
  return kind.minArgs === 2 && call.args.length === 1
    ? `write ${kind.name}(\`${call.args[0]}\`, \`…\`)`
    : null;
}

function listMatch(kind: 'and' | 'or', children: readonly RuleNode[]): RuleMatch {
  const tests = children.map((child) => child.match);
  const [a, b] = tests as [RuleMatch, RuleMatch];
  if (tests.length === 2) return kind === 'and' ? (s) => a(s) && b(s) : (s) => a(s) || b(s);
  const stopAt = kind === 'or';
  return (s) => {
    for (const test of tests) if (test(s) === stopAt) return stopAt;
    return !stopAt;
  };
}
