// How each entry point listens: what its routers want of the port decides engine and side.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { RouterSpec } from '../../model/snapshot.ts';
import type { ListenerSpec } from '../../model/tls.ts';
import { compare } from './merge.ts';

/** Sorted by the entry point's name. */
export function resolveListeners(
  routers: readonly RouterSpec[],
  entryPoints: readonly EntryPointSpec[],
): ListenerSpec[] {
  return entryPoints
    .map((entryPoint) => listenerOf(entryPoint, routers))
    .sort((a, b) => compare(a.entryPoint, b.entryPoint));
}

function listenerOf({ name, engine, http }: EntryPointSpec, routers: readonly RouterSpec[]): ListenerSpec {
  const own = routers.filter(({ entryPoints }) => entryPoints.includes(name));
  const isTls = http.tls !== null || own.some(({ tls }) => tls !== null);
  return {
    entryPoint: name,
    engine: engine === 'auto' ? 'uws' : engine,
    side: isTls ? 'tls' : 'cleartext',
    hosts: [],
  };
}
