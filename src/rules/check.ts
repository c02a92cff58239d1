// Whether a rule can be read and what to warn of, remembered: checking thousands of rules again because one of
// them changed costs as much as everything else of resolving them.

import type { RuleSyntax } from '../model/snapshot.ts';
import { compileRule } from './compile.ts';
import type { RuleError } from './subject.ts';

export type RuleCheck =
  | { readonly ok: true; readonly warnings: readonly string[] }
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
  return compiled.ok ? { ok: true, warnings: compiled.rule.warnings } : { ok: false, error: compiled.error };
}
