// The runner under `npm test`: failures are failures, in one process and in many, and nothing ends a run in silence.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { type Ran, runFiles, sumOf } from '../../runner/node-test.ts';

const head = "import { test } from 'node:test';\n";
const good = `${head}test('good', () => undefined);\ntest('left out', { skip: true }, () => undefined);\n`;
const bad = `${head}test('bad', () => { throw new Error('on purpose'); });\n`;
const leaving = `${head}test('leaving', () => process.exit(0));\n`;
const hanging = `${head}test('hanging', () => new Promise((done) => setTimeout(done, 1500)));\n`;

for (const concurrency of [0, 2]) {
  const where = concurrency === 0 ? 'in one process' : 'in a process each';

  test(`${where}: tests are counted, and one that fails fails the run`, async (context) => {
    const passing = await run(context, [good, good], concurrency);
    assert.deepEqual(
      [passing.failed, passing.counts.get('pass'), passing.counts.get('skipped')],
      [false, 2, 2],
    );
    const failing = await run(context, [good, bad], concurrency);
    assert.deepEqual([failing.failed, failing.counts.get('pass'), failing.counts.get('fail')], [true, 1, 1]);
  });

  test(`${where}: a test that does not end is ended`, async (context) => {
    assert.equal((await run(context, [hanging], concurrency, 500)).failed, true);
  });
}

test('in one process: a test that leaves it fails the run', async (context) => {
  assert.equal((await run(context, [leaving, good], 0)).failed, true);
});

test('runs add up', () => {
  const one: Ran = { failed: false, counts: new Map([['pass', 2]]) };
  const sum = sumOf([one, { failed: true, counts: new Map([['pass', 3]]) }]);
  assert.deepEqual([sum.failed, sum.counts.get('pass'), sum.counts.get('fail')], [true, 5, 0]);
});

function run(
  context: TestContext,
  texts: readonly string[],
  concurrency: number,
  timeout = 30_000,
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-runner-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const files = texts.map((text, index) => {
    const file = join(folder, `${index}.test.mjs`);
    writeFileSync(file, text);
    return file;
  });
  // It would take itself for a part of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return runFiles({ files, concurrency, timeout, env, isShownLast: true, show: () => undefined });
}
