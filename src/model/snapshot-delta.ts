// What tells one Snapshot from the one before: sent to workers instead of all of it.

import type { Snapshot } from './snapshot.ts';
import type { TlsSpec } from './tls.ts';

export interface SnapshotDelta {
  /** Hash and version of what it is applied to. */
  readonly base: { readonly version: number; readonly hash: string };
  readonly version: number;
  /** Of the result. */
  readonly hash: string;
  readonly routers: SectionDelta<Snapshot['routers'][number]>;
  readonly middlewares: SectionDelta<Snapshot['middlewares'][number]>;
  readonly services: SectionDelta<Snapshot['services'][number]>;
  readonly transports: SectionDelta<Snapshot['transports'][number]>;
  /** Null: as it was. */
  readonly tls: TlsSpec | null;
}

export interface SectionDelta<T> {
  readonly removed: readonly string[];
  /** New ones too; sorted by name, as the section is. */
  readonly changed: readonly T[];
}

/** Objects of both, below which a delta saves nothing. */
const leastObjects = 64;

/** Null when sending all of `next` is no more work: it is small, or most of it has changed. */
export function deltaBetween(base: Snapshot, next: Snapshot): SnapshotDelta | null {
  const delta: SnapshotDelta = {
    base: { version: base.version, hash: base.hash },
    version: next.version,
    hash: next.hash,
    routers: sectionDelta(base.routers, next.routers),
    middlewares: sectionDelta(base.middlewares, next.middlewares),
    services: sectionDelta(base.services, next.services),
    transports: sectionDelta(base.transports, next.transports),
    tls: next.tls === base.tls ? null : next.tls,
  };
  const total = sizeOf(next);
  const touched = [delta.routers, delta.middlewares, delta.services, delta.transports].reduce(
    (sum, { removed, changed }) => sum + removed.length + changed.length,
    0,
  );
  return total < leastObjects || touched * 2 > total ? null : delta;
}

/** Objects that the delta does not name are the very ones of `base`. */
export function applyDelta(base: Snapshot, delta: SnapshotDelta): Snapshot {
  return {
    version: delta.version,
    hash: delta.hash,
    routers: applySection(base.routers, delta.routers),
    middlewares: applySection(base.middlewares, delta.middlewares),
    services: applySection(base.services, delta.services),
    transports: applySection(base.transports, delta.transports),
    tls: delta.tls ?? base.tls,
  };
}

function sizeOf({ routers, middlewares, services, transports }: Snapshot): number {
  return routers.length + middlewares.length + services.length + transports.length;
}

function sectionDelta<T extends { readonly name: string }>(
  base: readonly T[],
  next: readonly T[],
): SectionDelta<T> {
  const before = new Map(base.map((item) => [item.name, item]));
  const changed = next.filter((item) => before.get(item.name) !== item);
  for (const item of next) before.delete(item.name);
  return { removed: [...before.keys()], changed };
}

function applySection<T extends { readonly name: string }>(
  base: readonly T[],
  { removed, changed }: SectionDelta<T>,
): readonly T[] {
  if (removed.length === 0 && changed.length === 0) return base;
  const gone = new Set(removed);
  for (const item of changed) gone.add(item.name);
  const result: T[] = [];
  let next = 0;
  for (const item of base) {
    if (gone.has(item.name)) continue;
    for (let fresh = changed[next]; fresh !== undefined && fresh.name < item.name; fresh = changed[next]) {
      result.push(fresh);
      next += 1;
    }
    result.push(item);
  }
  result.push(...changed.slice(next));
  return result;
}
