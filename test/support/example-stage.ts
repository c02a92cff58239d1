// Starts an example by the command of its README, in a network namespace of its own where its ports are free.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from './gateway.ts';
import { createLan } from './namespaces.ts';
import { difference, readReadme, runSteps } from './transcript.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Starts it, runs every command of its README and compares every answer; fails with all that differ. */
export async function followReadme(context: TestContext, name: string): Promise<void> {
  const { start, steps } = readReadme(`${root}examples/${name}/README.md`);
  assert.equal(start, `npx node examples/start.ts ${name}`);
  assert.ok(steps.length >= 5, 'a README that shows something');
  const lan = createLan(['host']);
  const example = lan.start('host', ['bash', '-c', `exec ${start}`], { cwd: root });
  const end = async (): Promise<void> => {
    example.killGroup('SIGTERM');
    await Promise.race([example.exited, new Promise((resolve) => setTimeout(resolve, 12_000).unref())]);
    await lan.close();
  };
  context.after(end);
  await eventually(
    'the example is ready',
    () => {
      if (example.child.exitCode !== null) throw new Error('it has ended');
      return example.output().includes(`${name} is ready`);
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${example.output()}`);
  });
  const results = await runSteps(steps, { cwd: root, before: ['ip', 'netns', 'exec', lan.of('host')] });
  assert.equal(difference(results), '', `${difference(results)}\n${example.output().slice(-2000)}`);
  example.killGroup('SIGINT');
  await eventually(
    'everything has ended',
    () => lan.run('lan', 'ip', 'netns', 'pids', lan.of('host')).trim() === '',
    20_000,
  );
  assert.doesNotMatch(example.output(), /ended with/);
  context.diagnostic(`${results.length} commands answered as shown`);
}
