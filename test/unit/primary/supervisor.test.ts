// Workers as real processes: replaced when they die, held back when they keep dying, rolled one by one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from '../../../src/primary/backoff.ts';
import { ListenFailed } from '../../../src/primary/bring-up.ts';
import { createRig, type Rig, until } from './support.ts';

test('a killed worker is replaced within a second while the other stays', async () => {
  await withRig(createRig(2), async ({ supervisor }) => {
    await supervisor.start();
    const [victim, other] = supervisor.running();
    assert.ok(victim !== undefined && other !== undefined);
    victim.kill('SIGKILL');
    await victim.exited;
    const took = await until('two workers run again', () => supervisor.running().length === 2);
    assert.ok(took < 1000, `took ${took} ms`);
    assert.ok(supervisor.running().includes(other));
    assert.ok(!supervisor.running().includes(victim));
  });
});

test('a worker that keeps dying is held back longer and longer, and the log says how it dies', async () => {
  await withRig(createRig(1), async ({ supervisor, lines }) => {
    await supervisor.start();
    process.env['FIXTURE'] = 'die-at-start';
    try {
      supervisor.running()[0]?.kill('SIGKILL');
      await until(
        'three failed starts',
        () => lines.filter((line) => line.includes('exit code 7')).length >= 3,
      );
    } finally {
      delete process.env['FIXTURE'];
    }
    await until('a worker runs', () => supervisor.running().length === 1);
    const delays = lines.flatMap((line) => /"delay":(\d+)/.exec(line)?.[1] ?? []).map(Number);
    assert.deepEqual(delays.slice(0, 4), [0, 100, 200, 400]);
    assert.ok(lines.some((line) => line.includes('keep dying')));
    assert.ok(lines.some((line) => line.includes('signal SIGKILL')));
  });
});

test('the wait doubles to ten seconds at most and starts again after a long life', () => {
  const backoff = createBackoff();
  const waits = Array.from({ length: 10 }, () => backoff.died(50));
  assert.deepEqual(waits, [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  assert.equal(backoff.died(60_000), 0);
  assert.equal(backoff.died(50), 0);
});

test('a roll replaces every worker and always has all of them serving', async () => {
  await withRig(createRig(2), async ({ supervisor }) => {
    await supervisor.start();
    const before = supervisor.running();
    let fewest = before.length;
    const watch = setInterval(() => {
      fewest = Math.min(fewest, supervisor.running().length);
    }, 1);
    await supervisor.roll();
    clearInterval(watch);
    assert.equal(fewest, 2);
    assert.equal(supervisor.running().length, 2);
    assert.ok(supervisor.running().every((handle) => !before.includes(handle)));
    for (const old of before) assert.deepEqual(await old.exited, { code: 0, signal: null });
  });
});

test('a roll whose new worker does not start keeps the old ones', async () => {
  await withRig(createRig(1), async ({ supervisor, lines }) => {
    await supervisor.start();
    const before = supervisor.running();
    process.env['FIXTURE'] = 'die-at-start';
    await supervisor.roll();
    delete process.env['FIXTURE'];
    assert.deepEqual(supervisor.running(), before);
    assert.ok(lines.some((line) => line.includes('the old ones stay')));
  });
});

test('a port that cannot be had fails the start with the entry point', async () => {
  process.env['FIXTURE'] = 'cannot-listen';
  try {
    await withRig(createRig(1), async ({ supervisor }) => {
      await assert.rejects(supervisor.start(), (error: unknown) => {
        assert.ok(error instanceof ListenFailed);
        assert.equal(error.entryPoint, 'web');
        return true;
      });
    });
  } finally {
    delete process.env['FIXTURE'];
  }
});

test('stopping drains every worker and starts none again', async () => {
  const rig = createRig(2);
  await rig.supervisor.start();
  const handles = rig.supervisor.running();
  await rig.supervisor.stop(1000);
  for (const handle of handles) assert.deepEqual(await handle.exited, { code: 0, signal: null });
  assert.equal(rig.supervisor.workers().length, 0);
});

async function withRig(rig: Rig, run: (rig: Rig) => Promise<void>): Promise<void> {
  try {
    await run(rig);
  } finally {
    rig.supervisor.kill();
    await until('all workers ended', () => rig.supervisor.workers().length === 0);
  }
}
