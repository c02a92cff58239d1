// Which wildcard stands for a name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wildcardOf } from '../../../src/tls/wildcard.ts';

test('a name is stood for by the wildcard one label above it', () => {
  assert.equal(wildcardOf('a.example.com'), '*.example.com');
  assert.equal(wildcardOf('a.b.example.com'), '*.b.example.com');
});

test('nothing stands for a wildcard, a single label, or a name that begins with a dot', () => {
  for (const name of ['*.example.com', 'localhost', '.example.com', '']) assert.equal(wildcardOf(name), null);
});
