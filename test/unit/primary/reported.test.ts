// Diagnostics by source, and the log that hears of each once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import type { Log } from '../../../src/observability/log.ts';
import { createReported } from '../../../src/primary/reported.ts';

test('what a source says takes the place of what it has said before', () => {
  const { reported } = stage();
  reported.set('file', [wrong('a'), wrong('b')]);
  reported.set('docker', [wrong('c')]);
  reported.set('file', [wrong('b')]);
  assert.deepEqual(
    reported.all().map(({ code }) => code),
    ['b', 'c'],
  );
});

test('the log is told what is new, and again of what went away and came back', () => {
  const { reported, told } = stage();
  reported.set('file', [wrong('a')]);
  reported.writeNew();
  reported.set('docker', [wrong('b')]);
  reported.writeNew();
  assert.deepEqual(told, ['a', 'b']);
  reported.set('file', []);
  reported.writeNew();
  reported.set('file', [wrong('a')]);
  reported.writeNew();
  assert.deepEqual(told, ['a', 'b', 'a']);
});

function stage() {
  const told: unknown[] = [];
  const note = (fields: { readonly code?: unknown }): void => void told.push(fields.code);
  const log = { error: note, warn: note, info: note } as unknown as Log;
  return { reported: createReported(log), told };
}

function wrong(code: string): Diagnostic {
  return { severity: 'error', code, message: `${code} is wrong`, where: { source: 'file' } };
}
