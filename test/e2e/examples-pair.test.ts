// The example of a pair, brought up by its own script in network namespaces; its README is followed from line to line.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cannotNetwork } from '../support/namespaces.ts';
import { difference, readReadme, runSteps } from '../support/transcript.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = 'examples/ha-pair/try.sh';
const skip = cannotNetwork('keepalived', 'redis-server', 'curl', 'sysctl');

test('ha-pair: a node leaves, comes back, and the other one dies', {
  skip,
  timeout: 180_000,
}, async (context) => {
  const { start, steps } = readReadme(`${root}examples/ha-pair/README.md`);
  assert.equal(start, `${script} up`);
  assert.ok(!existsSync('/run/portcullis-example'), 'somebody else tries it out on this machine');
  const dir = mkdtempSync(join(tmpdir(), 'example-pair-'));
  context.after(() => {
    run(dir, 'down');
    rmSync(dir, { recursive: true, force: true });
  });
  assert.match(run(dir, 'up'), /ha-pair is ready/);
  const results = await runSteps(steps, { cwd: root });
  assert.equal(difference(results), '');
  context.diagnostic(`${results.length} commands answered as shown`);
  run(dir, 'down');
  const left = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
  assert.doesNotMatch(left, /^pair-/m);
  assert.ok(!existsSync('/run/portcullis-example'));
});

/** Into a file: what it leaves running would hold a pipe open. */
function run(dir: string, verb: string): string {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const file = join(dir, verb);
  const out = openSync(file, 'w');
  const { status } = spawnSync(script, [verb], {
    cwd: root,
    env,
    stdio: ['ignore', out, out],
    timeout: 90_000,
  });
  closeSync(out);
  const text = readFileSync(file, 'utf8');
  assert.equal(status, 0, text);
  return text;
}
