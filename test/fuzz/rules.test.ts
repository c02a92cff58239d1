// The rule language, both syntaxes: what is written, what is read, and what it means for a request.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RuleSyntax } from '../../src/model/snapshot.ts';
import { checkRule } from '../../src/rules/check.ts';
import { type CompiledRule, compileRule, type RuleNode } from '../../src/rules/compile.ts';
import { explainRule } from '../../src/rules/explain.ts';
import { maxRuleDepth, maxRuleLength, parseRule } from '../../src/rules/parser.ts';
import type { RuleSubject } from '../../src/rules/subject.ts';
import { applyChanges, changes, cpuTime, fuzz, property, soup } from './fuzz.ts';
import { holds, meaning, meant, subjects, type Tree, treesV2, treesV3, write } from './rule-trees.ts';

const pieces = [
  'Host',
  'Path',
  'PathPrefix',
  'Query',
  'Headers',
  'ClientIP',
  'HostRegexp',
  '(',
  ')',
  '`',
  '"',
  '`a.test`',
  '"/a\\x41"',
  '`/`',
  ',',
  '&&',
  '||',
  '&',
  '!',
  ' ',
  '\n',
  '\r\n',
  '//',
  '/*',
  '*/',
  '{',
  '}',
  '{a:[a-z]+}',
  '\\',
  '\\u12',
  '[',
  'é',
  '😀',
  '\ud800',
  '\0',
  '10.0.0.0/8',
  '%',
  "'",
  ';',
  ':',
];
const syntaxes = fc.constantFrom<RuleSyntax>('v2', 'v3');

fuzz('rules', [
  property(
    'what is written in any way is read as it was meant, and again from what was read',
    fc.oneof(treesV3, treesV2),
    (tree) => {
      const text = write(tree);
      const parsed = parseRule(text);
      assert.ok(parsed.ok, text);
      assert.deepEqual(meaning(parsed.node), meant(tree), text);
    },
    1_500,
  ),
  property(
    'a rule of v3 holds for a request exactly when it says so',
    fc.tuple(treesV3, fc.array(subjects, { minLength: 4, maxLength: 8 })),
    ([tree, list]) => judge(tree, list, 'v3'),
    1_500,
  ),
  property(
    'a rule of v2 holds for a request exactly when it says so',
    fc.tuple(treesV2, fc.array(subjects, { minLength: 4, maxLength: 8 })),
    ([tree, list]) => judge(tree, list, 'v2'),
    1_500,
  ),
  property(
    'anything else is refused with a place and few words, or is a rule that reads itself',
    fc.tuple(
      fc.oneof(
        soup(pieces, 16),
        fc
          .tuple(fc.oneof(treesV3, treesV2), changes(fc.constantFrom(...pieces), 3))
          .map(([tree, edits]) => applyChanges(write(tree), edits)),
      ),
      syntaxes,
    ),
    ([text, syntax]) => {
      const compiled = compileRule(text, syntax);
      const checked = checkRule(text, syntax);
      assert.equal(checked.ok, compiled.ok);
      if (compiled.ok) {
        for (const part of written(compiled.rule.ast)) assert.ok(compileRule(part, syntax).ok, part);
        return;
      }
      const { message, offset, hint } = compiled.error;
      assert.ok(
        Number.isInteger(offset) && offset >= 0 && offset <= text.length,
        `${offset} of ${text.length}`,
      );
      assert.ok(message.length > 0 && message.length <= 1_001 && (hint ?? '').length <= 1_001);
    },
    3_000,
  ),
  property(
    'depth is bounded, and told at its place',
    fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('(', '!', '!(', '(!')),
    ([depth, opener]) => {
      const brackets = opener.replace('!', '').length * depth;
      const text = `${opener.repeat(depth)}Path(\`/\`)${')'.repeat(brackets)}`;
      const parsed = parseRule(text);
      assert.equal(parsed.ok, opener.length * depth <= maxRuleDepth);
      if (!parsed.ok)
        assert.ok(/nested deeper/.test(parsed.error.message) && parsed.error.offset <= opener.length * depth);
    },
    100,
  ),
  property(
    'no rule of any length takes long, and beyond the bound it is refused',
    fc.tuple(
      fc.constantFrom(
        ...pieces,
        'Host(`a.test`)||',
        '!Path(`/a`)&&',
        'Host(`',
        'Query(`a`,',
        '`a`,',
        'HostRegexp(`{',
        '(a+)+',
        'Path(`/%41`)||',
      ),
      fc.constantFrom('', ')', 'Host(`a`)', '`', '*/'),
    ),
    ([unit, end]) => {
      const text = unit.repeat(Math.floor((maxRuleLength - end.length) / unit.length)) + end;
      for (const syntax of ['v2', 'v3'] as const) {
        let result: ReturnType<typeof compileRule> | null = null;
        const spent = cpuTime(() => (result = compileRule(text, syntax)));
        assert.ok(spent < 3_000, `${spent} ms`);
        assert.ok(result !== null);
      }
      const longer = compileRule(text + ' '.repeat(maxRuleLength), 'v3');
      assert.ok(!longer.ok && longer.error.offset === 0);
    },
    25,
  ),
]);

function judge(tree: Tree, list: readonly RuleSubject[], syntax: RuleSyntax): void {
  const text = write(tree);
  const compiled = compileRule(text, syntax);
  assert.ok(compiled.ok, `${text}: ${compiled.ok ? '' : compiled.error.message}`);
  const { rule } = compiled;
  for (const subject of list) {
    const wanted = holds(tree, subject, syntax);
    assert.equal(rule.match(subject), wanted, `${text} for ${JSON.stringify(subject)}`);
    if (wanted) assertWithinLimits(rule, subject);
    const { matched, failed } = explainRule(rule, subject);
    assert.equal(matched, wanted);
    assert.equal(failed === null, wanted);
    if (failed !== null && !text.includes('canary')) assert.ok(!failed.includes('canary'), failed);
  }
}

/** The router table looks only where a rule says it can match. */
function assertWithinLimits(
  { hosts, wildcards, prefixes, text }: CompiledRule,
  { host, routePath }: RuleSubject,
): void {
  const above = host.slice(host.indexOf('.') + 1);
  if (hosts !== null)
    assert.ok(
      hosts.includes(host) || (host.includes('.') && wildcards.includes(above)),
      `${text}: host ${host}`,
    );
  if (prefixes !== null)
    assert.ok(
      prefixes.some((prefix) => routePath.startsWith(prefix)),
      `${text}: path ${routePath}`,
    );
}

function written(node: RuleNode): string[] {
  if (node.kind === 'call') return [node.text];
  if (node.kind === 'not') return [node.text, ...written(node.child)];
  return node.children.flatMap(written);
}
