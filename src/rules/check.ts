// Whether a rule can be read and what to warn of, remembered: checking thousands of rules again because one of
// them changed costs as much as everything else of resolving them.

import type { RuleSyntax } from '../model/snapshot.ts';
import { type CompiledRule, compileRule, type RuleNode } from './compile.ts';
import { canonicalHost } from './match-host.ts';
import type { RuleError } from './subject.ts';

export type RuleCheck =
  | {
      readonly ok: true;
      readonly warnings: readonly string[];
      /** What `Host` names without a negation, lower case, in order; wildcards as written, without a bare `*`. */
      readonly hosts: readonly string[];
      /** Whether only requests for one of `hosts` can match. */
      readonly isHostBound: boolean;
    }
  | { readonly ok: false; readonly error: RuleError };

/** Rules remembered in each of two generations, and the length of one that is, in UTF-16 units. */
const maxRemembered = 20_000;
const maxLength = 2_000;

let recent = new Map<string, RuleCheck>();
let older: ReadonlyMap<string, RuleCheck> = new Map();

/** Never throws. What `compileRule` would say, without the closures. */
export function checkRule(text: string, syntax: RuleSyntax): RuleCheck {
  if (text.length > maxLength) return check(text, syntax);
  const key = `${syntax} ${text}`;
  let known = recent.get(key);
  if (known !== undefined) return known;
  known = older.get(key) ?? check(text, syntax);
  if (recent.size >= maxRemembered) {
    older = recent;
    recent = new Map();
  }
  recent.set(key, known);
  return known;
}

function check(text: string, syntax: RuleSyntax): RuleCheck {
  const compiled = compileRule(text, syntax);
  if (!compiled.ok) return { ok: false, error: compiled.error };
  const hosts = hostsOf(compiled.rule);
  return {
    ok: true,
    warnings: compiled.rule.warnings,
    hosts,
    isHostBound: isBoundTo(hosts, compiled.rule),
  };
}

function hostsOf({ ast }: CompiledRule): string[] {
  const hosts = new Set<string>();
  addHosts(ast, false, hosts);
  return [...hosts].filter((host) => host !== '' && host !== '*');
}

function addHosts(node: RuleNode, negated: boolean, hosts: Set<string>): void {
  if (node.kind === 'not') addHosts(node.child, !negated, hosts);
  else if (node.kind !== 'call') for (const child of node.children) addHosts(child, negated, hosts);
  else if (node.matcher === 'Host' && !negated)
    for (const host of node.args) hosts.add(canonicalHost(host.toLowerCase()));
}

function isBoundTo(hosts: readonly string[], { hosts: exact, wildcards }: CompiledRule): boolean {
  if (exact === null) return false;
  return [...exact, ...wildcards.map((suffix) => `*.${suffix}`)].every((host) => hosts.includes(host));
}
