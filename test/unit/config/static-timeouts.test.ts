// The timeouts of an entry point that are our own: their defaults, their bounds, and what workers get.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadStatic } from '../../../src/config/static/load.ts';
import { resolveStatic } from '../../../src/config/static/resolve.ts';

function transportOf(...flags: readonly string[]) {
  const argv = ['--entryPoints.web.address=:8000', ...flags];
  const { config, diagnostics } = loadStatic({ argv, env: {}, cwd: import.meta.dirname });
  assert.ok(config, JSON.stringify(diagnostics));
  const resolved = resolveStatic(config, 'secret');
  return {
    web: resolved.entryPoints.find(({ name }) => name === 'web')?.transport,
    diagnostics: resolved.diagnostics,
  };
}

const at = '--entryPoints.web.transport.respondingTimeouts';

test('heads have half a minute, bodies 240 bytes a second, unless something else is written', () => {
  const { web } = transportOf();
  assert.equal(web?.readHeaderTimeout, 30_000);
  assert.equal(web?.minBodyRate, 240);
  const written = transportOf(`${at}.readHeaderTimeout=5s`, `${at}.minBodyRate=0`).web;
  assert.equal(written?.readHeaderTimeout, 5_000);
  assert.equal(written?.minBodyRate, 0);
});

test('a least rate below zero or above a mebibyte a second is refused', () => {
  for (const rate of ['-1', '1048577']) {
    const { diagnostics } = transportOf(`${at}.minBodyRate=${rate}`);
    assert.ok(
      diagnostics.some(({ severity, message }) => severity === 'error' && message.includes('minBodyRate')),
      rate,
    );
  }
});
