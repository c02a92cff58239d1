// What a worker says stays within bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, protocol, seal } from '../../../src/model/envelope.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { bounded } from '../../../src/worker/report.ts';

test('a nack carries at most 100 diagnostics of at most 1,000 characters', () => {
  const one: Diagnostic = { severity: 'error', code: 'x', message: 'm'.repeat(5000), where: { source: 's' } };
  const kept = bounded(Array.from({ length: 500 }, () => one));
  assert.equal(kept.length, 100);
  assert.ok(kept.every((diagnostic) => diagnostic.message.length === 1000));
});

test('messages of another release or of somebody else are told apart', () => {
  const sealed = seal({ type: 'ready' });
  assert.deepEqual(open(sealed), { ok: true, message: { type: 'ready' } });
  assert.deepEqual(open({ ...sealed, portcullis: protocol + 1 }), { ok: false, reason: 'version' });
  for (const other of [null, 'ready', { cmd: 'NODE_CLUSTER' }, { type: 'ready' }]) {
    assert.deepEqual(open(other), { ok: false, reason: 'foreign' });
  }
});
