// What is true when a Snapshot is offered may not be when it is sent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerState, ToPrimary, ToWorker } from '../../../src/model/ipc.ts';
import { createReload } from '../../../src/primary/reload.ts';
import type { WorkerHandle } from '../../../src/primary/worker-handle.ts';
import { content, linesLog } from './support.ts';

test('a worker that wants the whole Snapshot is told the servers that are down by then', async () => {
  const state: ServerState = { service: 'api@file', url: 'http://a', up: false };
  let down: readonly ServerState[] = [];
  const sent: ToWorker[] = [];
  let hear: (message: ToPrimary) => void = () => {};
  const worker = {
    version: 1,
    send: (message: ToWorker) => sent.push(message) > 0,
    wait: (pick: (message: ToPrimary) => unknown) =>
      new Promise((resolve) => {
        hear = (message) => {
          const picked = pick(message);
          if (picked !== null) resolve(picked);
        };
      }),
  } as unknown as WorkerHandle;
  const options = {
    log: linesLog([]),
    running: () => [worker],
    replace: () => {},
    committed: () => {},
    downFor: () => down,
  };
  const reload = createReload(options, content('first', ['a@file']));
  const done = reload.submit(content('second', ['a@file', 'b@file']));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent.length, 1);
  down = [state];
  hear({ type: 'want-full', version: 2, hash: 'second' });
  const last = sent.at(-1);
  assert.ok(last?.type === 'snapshot');
  assert.deepEqual(last.down, [state]);
  hear({ type: 'ack', version: 2, hash: 'second', diagnostics: [] });
  await done;
});
