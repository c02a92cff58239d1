// The list of middlewares.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue, findMiddleware } from '../../../../src/proxy/middlewares/catalogue.ts';
import { build } from './workbench.ts';

test('the catalogue is in the order of the alphabet and every entry can be found', () => {
  const kinds = catalogue.map((definition) => definition.kind);
  assert.deepEqual(kinds, [...kinds].sort());
  for (const definition of catalogue) assert.equal(findMiddleware(definition.kind.toLowerCase()), definition);
});

test('aliases are found in any case, unknown kinds are not', () => {
  assert.equal(findMiddleware('IPWHITELIST')?.kind, 'ipAllowList');
  assert.equal(findMiddleware('constructor'), null);
});

test('every schema refuses a key it does not know', () => {
  for (const { kind, schema } of catalogue) {
    const result = schema.safeParse({ bogus: 'x' });
    const codes = result.success ? [] : result.error.issues.map((issue) => issue.code);
    assert.ok(codes.includes('unrecognized_keys'), kind);
  }
});

test('a chain is never built itself', () => {
  assert.throws(() => build('chain', { middlewares: 'a,b' }), /stands for its members/);
});
