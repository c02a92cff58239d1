// Snapshot → Runtime: everything that can be decided before traffic is decided here.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { keepIdentity } from '../../util/same-data.ts';
import { buildMiddlewares } from './build-middlewares.ts';
import { type BuiltRoute, buildRoutes } from './build-routes.ts';
import { bindMiddlewares, buildServices, slotOwners } from './build-services.ts';
import { buildTables } from './build-tables.ts';
import type { AssembleDeps, BuildContext } from './context.ts';
import { collectManagedNames } from './managed-names.ts';
import { Reuse } from './reuse.ts';
import { Runtime } from './runtime.ts';
import { Slots } from './slots.ts';

export interface Assembled {
  readonly runtime: Runtime;
  /** Why single routers are off; the Runtime runs all the same, those routers answer 503. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Throws only for a bug: what is wrong with a single object makes the routers that need it answer 503. What is
 * the same as in `deps.previous` is taken over as it runs, with its state.
 */
export function assemble(incoming: Snapshot, deps: AssembleDeps): Assembled {
  const before = deps.previous ?? null;
  const snapshot = before === null ? incoming : withKnownSpecs(incoming, before.snapshot);
  const context = contextOf(snapshot, deps);
  const services = buildServices(snapshot, context);
  const middlewares = buildMiddlewares(snapshot.middlewares, services, context);
  bindMiddlewares(snapshot.services, services, middlewares, context);
  const routes = buildRoutes(snapshot.routers, middlewares, services, context);
  context.services.seal();
  context.middlewares.seal();
  context.routes.seal();
  const runtime = new Runtime({
    snapshot,
    tables: sameTables(routes, deps) ?? buildTables(routes, deps.entryPoints),
    routes,
    services,
    managed: collectManagedNames(snapshot.middlewares),
    kept: deps.kept,
    inheritance: context,
  });
  return { runtime, diagnostics: context.diagnostics };
}

/** Equal specs become the very objects that run: a Snapshot that came whole is then no more work than a change. */
function withKnownSpecs(incoming: Snapshot, known: Snapshot): Snapshot {
  return {
    ...incoming,
    routers: keepIdentity(incoming.routers, known.routers),
    middlewares: keepIdentity(incoming.middlewares, known.middlewares),
    services: keepIdentity(incoming.services, known.services),
    transports: keepIdentity(incoming.transports, known.transports),
  };
}

function contextOf(snapshot: Snapshot, deps: AssembleDeps): BuildContext {
  const before = deps.previous?.inheritance ?? null;
  const names = [...snapshot.middlewares.map((spec) => spec.name), ...slotOwners(snapshot.services)];
  return {
    ...deps,
    diagnostics: [],
    services: new Reuse(before?.services ?? null, deps.kept),
    middlewares: new Reuse(before?.middlewares ?? null, deps.kept),
    routes: new Reuse(before?.routes ?? null, deps.kept),
    slots: new Slots(before?.slots ?? null, names),
  };
}

function sameTables(routes: readonly BuiltRoute[], { previous }: AssembleDeps): Runtime['tables'] | null {
  if (!previous || previous.routes.length !== routes.length) return null;
  return routes.every((built, i) => built === previous.routes[i]) ? previous.tables : null;
}
