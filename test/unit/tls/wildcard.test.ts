// Which wildcard stands for a name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wildcardOf } from '../../../src/primary/acme/names.ts';
import { wildcardAbove } from '../../../src/tls/wildcard.ts';

test('a name is stood for by the wildcard one label above it', () => {
  for (const above of [wildcardAbove, wildcardOf]) {
    assert.equal(above('a.example.com'), '*.example.com');
    assert.equal(above('a.b.example.com'), '*.b.example.com');
    for (const name of ['localhost', '.example.com', '']) assert.equal(above(name), null);
  }
});

test('nothing stands for a wildcard, a single label, or a name that begins with a dot', () => {
  for (const name of ['*.example.com', 'localhost', '.example.com', '']) assert.equal(wildcardOf(name), null);
});

test('what a client names is looked up one label above, also where it begins with an asterisk', () => {
  assert.equal(wildcardAbove('*a.example.com'), '*.example.com');
  assert.equal(wildcardOf('*a.example.com'), null);
});
