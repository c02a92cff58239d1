// GET /api/portcullis/walk/<router>: a router with all that a request through it meets, in one answer.

import type { ServiceSpec, Snapshot } from '../../model/snapshot.ts';
import { type EntryPointView, entryPointView } from './entry-point-view.ts';
import type { ApiFacts, ApiSources } from './facts.ts';
import type { Listed } from './list.ts';
import { viewOf } from './views.ts';

/** Services shown of one walk: nested ones count. */
const maxServices = 100;

export interface Walk {
  readonly router: Listed;
  readonly entryPoints: readonly EntryPointView[];
  /** In the order they run; one that does not exist has its name alone. */
  readonly middlewares: readonly (Listed | { readonly name: string })[];
  /** The router's own first, then those it is made of; a missing one has its name alone. */
  readonly services: readonly (Listed | { readonly name: string })[];
  /** Which service leads to which, by qualified names. */
  readonly children: Readonly<Record<string, readonly string[]>>;
}

/** Null: there is no such router. */
export function walk(name: string, facts: ApiFacts, sources: ApiSources): Walk | null {
  const snapshot = sources.snapshot();
  const spec = snapshot.routers.find((router) => router.name === name);
  const view = viewOf('routers', name, snapshot, sources.serverStates);
  if (spec === undefined || view === null) return null;
  const find = (kind: 'middlewares' | 'services', one: string): Listed | { readonly name: string } =>
    viewOf(kind, one, snapshot, sources.serverStates) ?? { name: one };
  const children = descend(spec.service, snapshot);
  return {
    router: view,
    entryPoints: facts.entryPoints
      .filter((point) => spec.entryPoints.includes(point.name))
      .map((point) => entryPointView(point, snapshot.tls.listeners)),
    middlewares: spec.middlewares.map((one) => find('middlewares', one)),
    services: [...children.keys()].map((one) => find('services', one)),
    children: Object.fromEntries(children),
  };
}

function descend(first: string, { services }: Snapshot): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const open = [first];
  for (let name = open.shift(); name !== undefined && found.size < maxServices; name = open.shift()) {
    if (found.has(name)) continue;
    const spec = services.find((service) => service.name === name);
    const below = spec === undefined ? [] : childrenOf(spec);
    found.set(name, below);
    open.push(...below);
  }
  return found;
}

function childrenOf(spec: ServiceSpec): readonly string[] {
  switch (spec.kind) {
    case 'weighted':
    case 'highestRandomWeight':
      return spec.children.map(({ name }) => name);
    case 'mirroring':
      return [spec.service, ...spec.mirrors.map(({ name }) => name)];
    case 'failover':
      return [spec.service, spec.fallback];
    default:
      return [];
  }
}
