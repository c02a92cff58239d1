// The language of circuitBreaker and buffering.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePredicate, type Vocabulary } from '../../../../src/proxy/middlewares/predicate.ts';

interface Facts {
  readonly n: number;
  readonly name: string;
  readonly yes: boolean;
}

const vocabulary: Vocabulary<Facts> = new Map([
  ['N', { arity: 0, make: () => ({ kind: 'number', read: (facts) => facts.n }) }],
  ['Plus', { arity: 1, make: ([m = 0]) => ({ kind: 'number', read: (facts) => facts.n + m }) }],
  ['Name', { arity: 0, make: () => ({ kind: 'text', read: (facts) => facts.name }) }],
  ['Yes', { arity: 0, make: () => ({ kind: 'truth', read: (facts) => facts.yes }) }],
]);

const facts: Facts = { n: 5, name: 'POST', yes: true };
const holds = (text: string): boolean => parsePredicate(text, vocabulary)(facts);

test('every comparison is read as it is written', () => {
  for (const [text, expected] of [
    ['N() < 5', false],
    ['N() <= 5', true],
    ['N() > 4.5', true],
    ['N()>=5.0', true],
    ['N() == 5', true],
    ['N() != 5', false],
    ['Plus(.5) == 5.5', true],
    ['Name() == "POST"', true],
    ['Name() != `POST`', false],
    ['Yes()', true],
  ] as const) {
    assert.equal(holds(text), expected, text);
  }
});

test('&& binds tighter than ||, and parentheses tighter than both', () => {
  assert.equal(holds('N() == 5 || N() == 6 && N() == 7'), true);
  assert.equal(holds('(N() == 5 || N() == 6) && N() == 7'), false);
  assert.equal(holds(' ( ( Yes() ) ) '), true);
});

test('what cannot be read is told with its place', () => {
  for (const [text, message] of [
    ['', /^at character 1: expected one of N, Plus, Name, Yes$/],
    ['M() > 1', /^at character 1: there is no function M, expected one of/],
    ['N()', /^at character 1: N\(\) must be compared/],
    ['N() > ', /^at character 6: expected a number$/],
    ['N() > "a"', /^at character 7: expected a number$/],
    ['N() > 1 N()', /^at character 9: expected && or \|\|$/],
    ['N( > 1', /^at character 4: expected \)$/],
    ['Plus() > 1', /^at character 1: Plus takes 1 numbers, not 0$/],
    ['Name() < "a"', /^at character 8: texts are compared by == and != only$/],
    ['Name() == 5', /^at character 11: expected a text in quotes$/],
    ['!Yes()', /^at character 1: not understood$/],
    ['Yes() && $', /^at character 10: not understood$/],
    ['(Yes()', /^at character 7: expected \)$/],
    ['__proto__() > 1', /there is no function __proto__/],
  ] as const) {
    assert.throws(() => holds(text), { message }, text);
  }
});

test('length and depth have bounds', () => {
  assert.throws(() => holds(`${'('.repeat(40)}Yes()${')'.repeat(40)}`), /more than 32 parentheses/);
  assert.throws(() => holds(`Yes()${' '.repeat(2000)}`), /longer than 2000 characters/);
});
