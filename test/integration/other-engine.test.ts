// Suites of middlewares, errors and bare bytes, once more with the engine that `auto` does not choose.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isNodeEngine } from '../support/engine.ts';

const suites = ['framing', 'header-hygiene', 'limits', 'bypass', 'middlewares', 'middlewares-retry'];

for (const suite of suites) {
  test(`${suite} with the node engine`, { skip: isNodeEngine, timeout: 100_000 }, async () => {
    const file = fileURLToPath(new URL(`./${suite}.test.ts`, import.meta.url));
    // What tells a child that it is part of this run would have it report to nobody.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], {
      env: { ...env, TEST_ENGINE: 'node' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let report = '';
    child.stdout.on('data', (chunk) => (report += String(chunk)));
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0, report);
    assert.ok(Number(/^# pass (\d+)$/m.exec(report)?.[1]) > 0, report);
  });
}
