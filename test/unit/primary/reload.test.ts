// A version counts in all workers or in none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPurge } from '../../../src/primary/purge.ts';
import { content, createRig, type Rig, until } from './support.ts';

test('a new configuration reaches every worker, the same one again changes nothing', async () => {
  await withRunning(2, async ({ reload, supervisor }) => {
    await reload.submit(content('second'));
    assert.deepEqual(versions(supervisor.running()), [2, 2]);
    await reload.submit(content('second'));
    assert.equal(reload.current().snapshot.version, 2);
  });
});

test('a version that one worker cannot build is taken back from the others', async () => {
  await withRunning(2, async ({ reload, supervisor, lines }) => {
    const [sick] = supervisor.running();
    await reload.submit(content('second'));
    await reload.submit(content('third', [`poison-${sick?.pid}@file`]));
    assert.equal(reload.current().snapshot.hash, 'second');
    assert.deepEqual(versions(supervisor.running()), [2, 2]);
    assert.equal(reload.diagnostics()[0]?.code, 'test.poison');
    assert.ok(lines.some((line) => line.includes('poisoned')));
    await reload.submit(content('fourth'));
    assert.deepEqual(versions(supervisor.running()), [4, 4]);
    assert.deepEqual(reload.diagnostics(), []);
  });
});

test('a worker that cannot use a change is sent everything', async () => {
  const many = content(
    'many',
    Array.from({ length: 100 }, (_, i) => `r${100 + i}@file`),
  );
  await finish(createRig(2, many), async ({ reload, supervisor }) => {
    await supervisor.start();
    await reload.submit({ ...many, hash: 'less', routers: many.routers.slice(1) });
    assert.equal(reload.current().snapshot.hash, 'less');
    assert.deepEqual(versions(supervisor.running()), [2, 2]);
  });
});

test('of several that wait only the newest is sent', async () => {
  await withRunning(1, async ({ reload, supervisor }) => {
    void reload.submit(content('a'));
    void reload.submit(content('b'));
    void reload.submit(content('c'));
    await reload.submit(content('d'));
    assert.equal(reload.current().snapshot.hash, 'd');
    assert.equal(supervisor.running()[0]?.version, 3);
  });
});

test('a worker that says nothing is replaced and the version is taken back', {
  timeout: 40_000,
}, async () => {
  await withRunning(2, async ({ reload, supervisor }) => {
    const before = supervisor.running();
    await reload.submit(content('second', ['silence@file']));
    assert.equal(reload.current().snapshot.hash, 'first');
    await until(
      'both are replaced',
      () => supervisor.running().filter((one) => !before.includes(one)).length === 2,
    );
    assert.deepEqual(versions(supervisor.running()), [1, 1]);
  });
});

test('a replacement starts with the version in force', async () => {
  await withRunning(1, async ({ reload, supervisor }) => {
    await reload.submit(content('second'));
    const [old] = supervisor.running();
    old?.kill('SIGKILL');
    await until('replaced', () => supervisor.running().some((one) => one !== old));
    assert.deepEqual(versions(supervisor.running()), [2]);
  });
});

test('a first configuration that no worker can build leaves a gateway that answers for itself', async () => {
  const rig = createRig(2, content('bad', ['poison@file', 'ping@internal']));
  await finish(rig, async ({ reload, supervisor }) => {
    await supervisor.start();
    assert.deepEqual(
      reload.current().snapshot.routers.map((one) => one.name),
      ['ping@internal'],
    );
    assert.equal(supervisor.running().length, 2);
    assert.equal(reload.diagnostics()[0]?.code, 'test.poison');
  });
});

test('a purge adds up what all workers have confirmed', async () => {
  await withRunning(2, async ({ supervisor }) => {
    assert.equal(await createPurge(() => supervisor.workers())({ by: 'all' }), 6);
  });
});

function versions(handles: readonly { readonly version: number }[]): readonly number[] {
  return handles.map((handle) => handle.version);
}

async function withRunning(workers: number, run: (rig: Rig) => Promise<void>): Promise<void> {
  await finish(createRig(workers), async (rig) => {
    await rig.supervisor.start();
    await run(rig);
  });
}

async function finish(rig: Rig, run: (rig: Rig) => Promise<void>): Promise<void> {
  try {
    await run(rig);
  } finally {
    rig.supervisor.kill();
    await until('all workers ended', () => rig.supervisor.workers().length === 0);
  }
}
