// Why a rule does or doesn't match a request, in the words of the rule.

import type { CompiledRule, RuleNode, RuleSubject } from './compile.ts';

export interface RuleExplanation {
  readonly matched: boolean;
  /** First matcher that failed, as written, with what it saw; null when the rule matches. */
  readonly failed: string | null;
}

/** Client text in it is bounded; values of headers and queries never appear. */
export function explainRule(rule: CompiledRule, subject: RuleSubject): RuleExplanation {
  if (rule.match(subject)) return { matched: true, failed: null };
  return { matched: false, failed: failure(rule.ast, subject) };
}

function failure(node: RuleNode, subject: RuleSubject): string {
  if (node.kind === 'call') return `${node.text}: ${node.seen(subject)}`;
  if (node.kind === 'not') {
    return node.child.kind === 'call'
      ? `${node.text}: ${node.child.seen(subject)}`
      : `${node.text}: the group matches`;
  }
  const failed = node.children.find((child) => !child.match(subject));
  return failed === undefined ? '' : failure(failed, subject);
}
