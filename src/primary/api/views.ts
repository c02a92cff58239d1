// Snapshot to the objects Traefik's API shows: same keys, same words.

import type { RouterSpec, Snapshot } from '../../model/snapshot.ts';
import type { Listed } from './list.ts';
import { middlewareView } from './middleware-view.ts';
import { routerView } from './router-view.ts';
import { serviceView, type ServerStates } from './service-view.ts';
import { mapInSlices } from './slices.ts';

export type Kind = 'routers' | 'services' | 'middlewares';

export interface Views {
  readonly routers: readonly Listed[];
  readonly services: readonly Listed[];
  readonly middlewares: readonly Listed[];
}

/** All at once: for a process that has nothing else to do. */
export function viewsOf(snapshot: Snapshot, states: ServerStates): Views {
  const { routers, services, middlewares } = makers(snapshot, states);
  return {
    routers: snapshot.routers.map(routers),
    services: snapshot.services.map(services),
    middlewares: snapshot.middlewares.map(middlewares),
  };
}

/** All of one kind, in slices. */
export async function viewsOfKind(
  kind: Kind,
  snapshot: Snapshot,
  states: ServerStates,
): Promise<readonly Listed[]> {
  const make = makers(snapshot, states);
  if (kind === 'routers') return mapInSlices(snapshot.routers, make.routers);
  if (kind === 'services') return mapInSlices(snapshot.services, make.services);
  return mapInSlices(snapshot.middlewares, make.middlewares);
}

/** Null: there is none of that qualified name. */
export function viewOf(kind: Kind, name: string, snapshot: Snapshot, states: ServerStates): Listed | null {
  const make = makers(snapshot, states);
  const isIt = (item: { readonly name: string }): boolean => item.name === name;
  if (kind === 'routers') return snapshot.routers.filter(isIt).map(make.routers)[0] ?? null;
  if (kind === 'services') return snapshot.services.filter(isIt).map(make.services)[0] ?? null;
  return snapshot.middlewares.filter(isIt).map(make.middlewares)[0] ?? null;
}

function makers(snapshot: Snapshot, states: ServerStates) {
  const users = usersOf(snapshot.routers);
  return {
    routers: routerView,
    services: (service: Snapshot['services'][number]): Listed =>
      serviceView(service, users.get(`service ${service.name}`) ?? [], states(service.name)),
    middlewares: (middleware: Snapshot['middlewares'][number]): Listed =>
      middlewareView(middleware, users.get(`middleware ${middleware.name}`) ?? []),
  };
}

type Users = ReadonlyMap<string, readonly string[]>;

/** One entry per Snapshot, gone with it. */
const known = new WeakMap<readonly RouterSpec[], Users>();

/** Who uses what, in one pass over the routers. */
function usersOf(routers: readonly RouterSpec[]): Users {
  const found = known.get(routers);
  if (found !== undefined) return found;
  const users = new Map<string, string[]>();
  const add = (key: string, router: string): void => {
    const list = users.get(key);
    if (list === undefined) users.set(key, [router]);
    else if (list.at(-1) !== router) list.push(router);
  };
  for (const router of routers) {
    add(`service ${router.service}`, router.name);
    for (const middleware of router.middlewares) add(`middleware ${middleware}`, router.name);
  }
  known.set(routers, users);
  return users;
}
