// How long the primary waits for a worker when it is the primary that stood still.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { Worker } from 'node:cluster';
import { test, type TestContext } from 'node:test';
import { attachWorker, type WorkerHandle } from '../../../src/primary/worker-handle.ts';

test('after a pause of the primary an answer that came in time is read before the wait ends', async (context) => {
  const handle = await start(context, 0);
  const answer = handle.wait(() => true, 100);
  handle.send({ type: 'ping' });
  standStill(300);
  assert.equal(await answer, true);
});

test('a worker that stood still together with the primary gets its time again', async (context) => {
  const handle = await start(context, 1_600);
  const answer = handle.wait(() => true, 500);
  handle.send({ type: 'ping' });
  standStill(1_500);
  assert.equal(await answer, true);
});

test('a worker that says nothing is waited for no longer than was said', async (context) => {
  const handle = await start(context, 60_000);
  const since = performance.now();
  await assert.rejects(
    handle.wait(() => true, 100),
    /no answer within 100 ms/,
  );
  assert.ok(performance.now() - since < 2_000);
});

/** A process that sends back what it is sent, each but the first after `ms`. */
async function start(context: TestContext, ms: number): Promise<WorkerHandle> {
  const script = `let ms = 0;
    process.on('message', (message) => { setTimeout(() => process.send(message), ms); ms = ${ms}; });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  context.after(() => void child.kill('SIGKILL'));
  const nothing = (): void => {};
  const handle = attachWorker(asWorker(child), {
    apiRequest: nothing,
    stateCalls: nothing,
    wrongProtocol: nothing,
  });
  const first = handle.wait(() => true, 20_000);
  handle.send({ type: 'ping' });
  await first;
  return handle;
}

function asWorker(child: ChildProcess): Worker {
  return {
    process: child,
    on: child.on.bind(child),
    send: (message: object) => child.send(message),
    isConnected: () => child.connected,
  } as unknown as Worker;
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
