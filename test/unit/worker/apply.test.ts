// A worker takes a change only to what it runs, and only when the result is what the primary meant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToPrimary } from '../../../src/model/ipc.ts';
import { deltaBetween } from '../../../src/model/snapshot-delta.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { createGateway } from '../../../src/proxy/create-gateway.ts';
import { contentHash } from '../../../src/util/content-hash.ts';
import { applyChange, applySnapshot, rollBack } from '../../../src/worker/apply.ts';
import { linesLog, router, settings } from '../primary/support.ts';
import { MemoryState } from '../../../src/state/memory.ts';
import { noTls } from '../../../src/model/tls.ts';

test('a change is applied to the Snapshot that runs, also after the way back from another one', async () => {
  const { gateway, said, send } = createBench();
  applySnapshot(gateway, { type: 'snapshot', snapshot: base, down: [] }, send);
  for (const version of [2, 3]) {
    const delta = deltaBetween(base, next(version));
    assert.ok(delta);
    applyChange(gateway, { type: 'delta', delta: structuredClone(delta), down: [] }, send);
    assert.deepEqual(gateway.snapshot(), next(version));
    rollBack(gateway, version, send);
    assert.equal(gateway.snapshot()?.version, 1);
  }
  assert.deepEqual(said, ['ack 1', 'ack 2', 'ack 1', 'ack 3', 'ack 1']);
  await gateway.close();
});

test('a change of something else, or with another result than meant, is answered with a wish for all', async () => {
  const { gateway, said, send } = createBench();
  const delta = deltaBetween(base, next(2));
  assert.ok(delta);
  applyChange(gateway, { type: 'delta', delta, down: [] }, send);
  applySnapshot(gateway, { type: 'snapshot', snapshot: base, down: [] }, send);
  applyChange(gateway, { type: 'delta', delta: { ...delta, hash: 'other' }, down: [] }, send);
  const routers = { ...delta.routers, removed: ['r105@file'] };
  applyChange(gateway, { type: 'delta', delta: { ...delta, routers }, down: [] }, send);
  applyChange(
    gateway,
    { type: 'delta', delta: { ...delta, base: { version: 7, hash: base.hash } }, down: [] },
    send,
  );
  assert.deepEqual(said, ['want-full 2', 'ack 1', 'want-full 2', 'want-full 2', 'want-full 2']);
  assert.equal(gateway.snapshot(), gateway.snapshot());
  assert.equal(gateway.snapshot()?.version, 1);
  await gateway.close();
});

const routers = Array.from({ length: 100 }, (_, i) => router(`r${100 + i}@file`));
const base = snapshotOf(1, routers);

function next(version: number): Snapshot {
  return snapshotOf(
    version,
    routers.map((spec, i) => (i === 50 ? { ...spec, priority: 99n } : spec)),
  );
}

function snapshotOf(version: number, list: Snapshot['routers']): Snapshot {
  const hash = contentHash([list, [], [], [], [noTls]]);
  return { version, hash, routers: list, middlewares: [], services: [], transports: [], tls: noTls };
}

function createBench() {
  const said: string[] = [];
  const send = (message: ToPrimary): void => {
    said.push('version' in message ? `${message.type} ${message.version}` : message.type);
  };
  const deps = {
    askPrimary: () => Promise.reject(new Error('nobody is there')),
    log: linesLog([]),
    state: new MemoryState(),
  };
  return { gateway: createGateway(settings, deps), said, send };
}
