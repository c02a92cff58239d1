// Shared by the rule tests: requests by their differences from a plain one, and rows of rules.

import assert from 'node:assert/strict';
import type { RuleSyntax } from '../../../src/model/snapshot.ts';
import {
  type CompiledRule,
  compileRule,
  type RuleError,
  type RuleSubject,
} from '../../../src/rules/compile.ts';

export function subject(differences: Partial<RuleSubject> = {}): RuleSubject {
  return {
    host: 'example.com',
    routePath: '/',
    method: 'GET',
    headers: [],
    search: '',
    peer: '203.0.113.7',
    ...differences,
  };
}

export function accept(text: string, syntax: RuleSyntax = 'v3'): CompiledRule {
  const result = compileRule(text, syntax);
  assert.ok(
    result.ok,
    `${text} is accepted${result.ok ? '' : `, not refused with: ${result.error.message}`}`,
  );
  return result.rule;
}

export function refuse(text: string, syntax: RuleSyntax = 'v3'): RuleError {
  const result = compileRule(text, syntax);
  assert.ok(!result.ok, `${text} is refused`);
  return result.error;
}

export type Row = readonly [rule: string, request: Partial<RuleSubject>, expected: boolean];

export function checkRows(rows: readonly Row[], syntax: RuleSyntax = 'v3'): void {
  for (const [rule, request, expected] of rows) {
    assert.equal(
      accept(rule, syntax).match(subject(request)),
      expected,
      `${rule} on ${JSON.stringify(request)}`,
    );
  }
}
