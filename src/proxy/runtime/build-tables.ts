// Routes → the tables of each entry point, cleartext and TLS.

import { buildTable } from '../router/table.ts';
import type { BuiltRoute } from './build-routes.ts';
import type { Route } from './route.ts';
import type { Tables } from './runtime.ts';

interface Sides {
  readonly http: Route[];
  readonly https: Route[];
}

/** By the entry point's name. */
export function buildTables(
  routes: readonly BuiltRoute[],
  entryPoints: readonly string[],
): ReadonlyMap<string, Tables> {
  const sides = new Map<string, Sides>(entryPoints.map((name) => [name, { http: [], https: [] }]));
  for (const { spec, route } of routes) {
    if (route === null) continue;
    for (const name of new Set(spec.entryPoints)) {
      const side = sides.get(name);
      if (side !== undefined) (spec.tls === null ? side.http : side.https).push(route);
    }
  }
  return new Map(
    [...sides].map(([name, { http, https }]) => [name, { http: buildTable(http), https: buildTable(https) }]),
  );
}
