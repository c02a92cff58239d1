// A Snapshot and what tells it from the next one give the next one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyDelta, deltaBetween } from '../../../src/model/snapshot-delta.ts';
import type { MiddlewareSpec, Snapshot } from '../../../src/model/snapshot.ts';
import { contentHash } from '../../../src/util/content-hash.ts';
import { keepIdentity } from '../../../src/util/same-data.ts';
import { router } from '../primary/support.ts';
import { noTls } from '../../../src/model/tls.ts';

interface Content {
  readonly routers: Readonly<Record<string, number>>;
  readonly middlewares: Readonly<Record<string, number>>;
}

const names = Array.from({ length: 150 }, (_, i) => `o${i}@file`);
const section = fc.dictionary(fc.constantFrom(...names), fc.nat(3), { minKeys: 70, maxKeys: 150 });

test('the delta between any two Snapshots turns the one into the other', () => {
  const contents = fc.record({ routers: section, middlewares: section });
  const change = fc.dictionary(fc.constantFrom(...names), fc.option(fc.nat(3)), { maxKeys: 20 });
  fc.assert(
    fc.property(contents, change, change, (before, routers, middlewares) => {
      const base = snapshotOf(1, before, null);
      const after = {
        routers: changed(before.routers, routers),
        middlewares: changed(before.middlewares, middlewares),
      };
      const next = snapshotOf(2, after, base);
      const delta = deltaBetween(base, next);
      if (delta === null) return;
      const applied = applyDelta(base, structuredClone(delta));
      assert.deepEqual(applied, next);
      assert.equal(hashOf(applied), next.hash);
      for (const [i, spec] of next.routers.entries()) {
        if (base.routers.includes(spec)) assert.equal(applied.routers[i], spec);
      }
    }),
  );
});

test('a small Snapshot, or one that is mostly new, is sent whole', () => {
  const few = { routers: { 'a@file': 1 }, middlewares: {} };
  const small = snapshotOf(1, few, null);
  assert.equal(deltaBetween(small, snapshotOf(2, { ...few, routers: { 'a@file': 2 } }, small)), null);
  const all = (value: number) => ({
    routers: Object.fromEntries(names.map((name) => [name, value])),
    middlewares: {},
  });
  const large = snapshotOf(1, all(1), null);
  assert.equal(deltaBetween(large, snapshotOf(2, all(2), large)), null);
});

function changed(
  before: Readonly<Record<string, number>>,
  change: Readonly<Record<string, number | null>>,
): Record<string, number> {
  const after: Record<string, number> = { ...before };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete after[name];
    else after[name] = value;
  }
  return after;
}

function snapshotOf(version: number, content: Content, known: Snapshot | null): Snapshot {
  const sorted = (list: Readonly<Record<string, number>>) =>
    Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1));
  const routers = sorted(content.routers).map(([name, value]) => router(name, { priority: BigInt(value) }));
  const middlewares = sorted(content.middlewares).map(
    ([name, value]): MiddlewareSpec => ({
      name,
      provider: 'file',
      kind: 'addPrefix',
      options: { value },
      errors: [],
    }),
  );
  const whole = {
    version,
    hash: '',
    routers: keepIdentity(routers, known?.routers ?? []),
    middlewares: keepIdentity(middlewares, known?.middlewares ?? []),
    services: [],
    transports: [],
    tls: noTls,
  };
  return { ...whole, hash: hashOf(whole) };
}

function hashOf({ routers, middlewares, services, transports, tls }: Snapshot): string {
  return contentHash([routers, middlewares, services, transports, [tls]]);
}
