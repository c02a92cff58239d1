// What nodes keep from whoever reads their Redis.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSelector, readSelector, sealSelector } from '../../../src/state/purge-text.ts';
import { Sealing } from '../../../src/state/sealing.ts';

const sealing = new Sealing('a secret that is long enough for everybody');

test('what is sealed opens with the same secret, in its place, and nowhere else', () => {
  const sealed = sealing.seal('canary: ü', 'here');
  assert.equal(new Sealing('a secret that is long enough for everybody').open(sealed, 'here'), 'canary: ü');
  assert.equal(sealing.open(sealed, 'there'), null);
  assert.equal(new Sealing('another secret that is long enough, too').open(sealed, 'here'), null);
  assert.ok(!Buffer.from(sealed, 'base64').includes('canary'));
  assert.notEqual(sealing.seal('canary: ü', 'here'), sealed);
});

test('no byte of it can be changed or left out', () => {
  const bytes = Buffer.from(sealing.seal('text', 'here'), 'base64');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] as number) ^ 1;
    assert.equal(sealing.open(changed.toString('base64'), 'here'), null);
    assert.equal(sealing.open(bytes.subarray(0, i).toString('base64'), 'here'), null);
  }
  for (const odd of ['', 'x', '!!!', ' ']) assert.equal(sealing.open(odd, 'here'), null);
});

test('every use has a key of its own', () => {
  const uses = [sealing.digestSecret, sealing.sessionSalt, sealing.nameOf('a'), sealing.nameOf('b')];
  assert.equal(new Set(uses).size, uses.length);
});

test('a purge is read strictly, sealed or not', () => {
  const selectors = [
    { by: 'all' },
    { by: 'token', token: 't' },
    { by: 'header', name: 'X-User-Id', value: '' },
  ] as const;
  for (const one of selectors) {
    assert.deepEqual(readSelector(JSON.stringify(one)), one);
    assert.deepEqual(openSelector(sealSelector(one, sealing), sealing), one);
  }
  for (const odd of [
    '',
    'null',
    '[]',
    '{}',
    '{"by":"token"}',
    '{"by":"token","token":""}',
    '{"by":"header","name":"a"}',
  ])
    assert.equal(readSelector(odd), null);
  assert.equal(readSelector(JSON.stringify({ by: 'token', token: 'x'.repeat(70_000) })), null);
  assert.equal(openSelector('AAAA', sealing), null);
});
