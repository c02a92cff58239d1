// What workers are told of a change, and how plain data is compared and hashed: against doing it the slow way.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { applyDelta, deltaBetween } from '../../src/model/snapshot-delta.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { noTls } from '../../src/model/tls.ts';
import { canonicalJson, contentHash } from '../../src/util/content-hash.ts';
import { keepIdentity, sameData } from '../../src/util/same-data.ts';
import { fuzz, property } from './fuzz.ts';

type Section = Readonly<Record<string, unknown>>;

const name = fc.oneof(
  fc.nat(60).map((i) => `o${i}@file`),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'A@file',
    'a@docker',
    'ä@file',
    '😀@file',
    '\uffff@file',
    'o1@File',
    '@',
    '0',
    '10',
    '9',
  ),
);
const plain = fc.jsonValue({ maxDepth: 2 });
const section = fc.array(fc.tuple(name, plain), { minLength: 25, maxLength: 60 });
const change = fc.array(fc.tuple(name, fc.option(plain)), { maxLength: 12 });
const four = fc.tuple(section, section, section, section);
const fourChanges = fc.tuple(change, change, change, change);

const data: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 4 });

fuzz('deltas', [
  property(
    'what differs, told to who has the one, gives the other, through the channel of the processes',
    fc.tuple(four, fourChanges, fc.nat(2)),
    ([before, edits, tls]) => {
      const base = snapshotOf(1, before.map(objectOf), null, noTls);
      const after = before.map((entries, i) => edit(objectOf(entries), edits[i] ?? []));
      const next = snapshotOf(2, after, base, tls === 0 ? noTls : { ...noTls });
      const delta = deltaBetween(base, next);
      if (delta === null) return;
      const told = deserialize(serialize(delta)) as typeof delta;
      const applied = applyDelta(base, told);
      assert.deepEqual(applied, next);
      assert.equal(hashOf(applied), next.hash);
      // What did not change is the very object it was: a worker builds nothing anew of it.
      for (const [key, list] of sectionsOf(applied)) {
        for (const item of list) {
          const old = sectionsOf(base)
            .get(key)
            ?.find((one) => one.name === item.name);
          if (old !== undefined && isDeepStrictEqual(old, item)) assert.ok(old === item, item.name);
        }
      }
    },
    150,
  ),
  property(
    'two changes told one after the other are the two together',
    fc.tuple(four, fourChanges, fourChanges),
    ([before, first, second]) => {
      const one = snapshotOf(1, before.map(objectOf), null, noTls);
      const two = snapshotOf(
        2,
        before.map((entries, i) => edit(objectOf(entries), first[i] ?? [])),
        one,
        noTls,
      );
      const three = snapshotOf(
        3,
        before.map((entries, i) => edit(edit(objectOf(entries), first[i] ?? []), second[i] ?? [])),
        two,
        noTls,
      );
      const [a, b] = [deltaBetween(one, two), deltaBetween(two, three)];
      if (a !== null && b !== null) assert.deepEqual(applyDelta(applyDelta(one, a), b), three);
    },
    80,
  ),
  property(
    'data is the same exactly when its canonical text is, in whatever order the keys stand',
    fc.tuple(data, data, fc.boolean()),
    ([a, b, same]) => {
      const other = same ? shuffled(a) : b;
      const isSame = isDeepStrictEqual(withoutZeroSign(a), withoutZeroSign(other));
      assert.equal(sameData(a, other), isSame);
      assert.equal(sameData(other, a), isSame);
      assert.equal(canonicalJson(a) === canonicalJson(other), isSame);
      assert.deepEqual(JSON.parse(canonicalJson(a)), withoutZeroSign(a));
    },
    1_000,
  ),
]);

function objectOf(entries: readonly (readonly [string, unknown])[]): Section {
  return Object.fromEntries(entries);
}

function edit(before: Section, edits: readonly (readonly [string, unknown])[]): Section {
  const after = new Map(Object.entries(before));
  for (const [key, value] of edits) {
    if (value === null) after.delete(key);
    else after.set(key, value);
  }
  return Object.fromEntries(after);
}

function snapshotOf(
  version: number,
  sections: readonly Section[],
  known: Snapshot | null,
  tls: Snapshot['tls'],
): Snapshot {
  const [routers, middlewares, services, transports] = sections.map((entries) =>
    Object.entries(entries)
      .map(([key, options]) => ({ name: key, options }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  ) as unknown as [never[], never[], never[], never[]];
  const fresh = { version, hash: '', routers, middlewares, services, transports, tls };
  const kept = {
    ...fresh,
    routers: keepIdentity(fresh.routers as Snapshot['routers'], known?.routers ?? []),
    middlewares: keepIdentity(fresh.middlewares as Snapshot['middlewares'], known?.middlewares ?? []),
    services: keepIdentity(fresh.services as Snapshot['services'], known?.services ?? []),
    transports: keepIdentity(fresh.transports as Snapshot['transports'], known?.transports ?? []),
  };
  return { ...kept, hash: hashOf(kept) };
}

function hashOf({ routers, middlewares, services, transports, tls }: Snapshot): string {
  return contentHash([routers, middlewares, services, transports, [tls]]);
}

function sectionsOf({
  routers,
  middlewares,
  services,
  transports,
}: Snapshot): ReadonlyMap<string, readonly { readonly name: string }[]> {
  return new Map<string, readonly { readonly name: string }[]>(
    Object.entries({ routers, middlewares, services, transports }),
  );
}

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]));
}

function withoutZeroSign(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
