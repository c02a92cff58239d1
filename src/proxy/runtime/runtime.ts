// One generation of configuration, ready to serve. Swapped whole, between two requests.

import type { ServerName, ServerState } from '../../model/ipc.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Service } from '../services/service.ts';
import { ServiceWithMiddlewares } from '../services/with-middlewares.ts';
import type { Exchange } from '../exchange.ts';
import type { ManagedNames } from '../entrypoints/intake-headers.ts';
import type { RouteTable } from '../router/table.ts';
import type { BuiltRoute } from './build-routes.ts';
import type { Inheritance } from './context.ts';
import type { KeepHandle } from './keep.ts';
import type { Route } from './route.ts';

/** The cleartext and the TLS side of one entry point. */
export interface Tables {
  readonly http: RouteTable<Route>;
  readonly https: RouteTable<Route>;
}

export interface RuntimeParts {
  /** What it was made of. */
  readonly snapshot: Snapshot;
  readonly tables: ReadonlyMap<string, Tables>;
  readonly routes: readonly BuiltRoute[];
  readonly services: ReadonlyMap<string, Service>;
  readonly managed: ManagedNames;
  readonly kept: KeepHandle;
  readonly inheritance: Inheritance;
}

export class Runtime {
  readonly version: number;
  readonly hash: string;
  /** Identity headers that no client may send, on any route. */
  readonly managed: ManagedNames;
  readonly snapshot: Snapshot;
  readonly tables: ReadonlyMap<string, Tables>;
  readonly routes: readonly BuiltRoute[];
  /** For the Runtime after it. */
  readonly inheritance: Inheritance;
  readonly #services: ReadonlyMap<string, Service>;
  readonly #kept: KeepHandle;
  /** Servers last said to be down, by service and URL: at most as many as the services have. */
  readonly #down = new Map<string, ServerState>();

  constructor(parts: RuntimeParts) {
    this.version = parts.snapshot.version;
    this.hash = parts.snapshot.hash;
    this.managed = parts.managed;
    this.snapshot = parts.snapshot;
    this.tables = parts.tables;
    this.routes = parts.routes;
    const { services, middlewares, routes, slots } = parts.inheritance;
    this.inheritance = { services, middlewares, routes, slots };
    this.#services = parts.services;
    this.#kept = parts.kept;
  }

  routeOf(x: Exchange): Route | null {
    const tables = this.tables.get(x.entryPoint.name);
    if (tables === undefined) return null;
    return (x.scheme === 'https' ? tables.https : tables.http).lookup(x);
  }

  /** Without middlewares of its own; null when there is none of that name. */
  bareService(name: string): Service | null {
    const service = this.#services.get(name) ?? null;
    return service instanceof ServiceWithMiddlewares ? service.inner : service;
  }

  setServerUp(service: string, url: string, up: boolean): void {
    const key = `${service}\n${url}`;
    if (up) this.#down.delete(key);
    else if (this.#services.has(service)) this.#down.set(key, { service, url, up });
    this.#services.get(service)?.setServerUp(url, up);
  }

  /**
   * Exactly these servers are down. Services that were taken over from `before` still know what was said about
   * their servers there.
   */
  begin(down: readonly ServerState[], before: Runtime | null): void {
    if (before !== null) {
      for (const { service, url } of before.#down.values()) this.setServerUp(service, url, true);
    }
    for (const { service, url, up } of down) this.setServerUp(service, url, up);
  }

  /** Exactly these servers drain, of those that were said to: what the configuration drains goes on. */
  setDrains(drains: readonly ServerName[], before: readonly ServerName[]): void {
    for (const { service, url } of before) this.#services.get(service)?.setDraining?.(url, false);
    for (const { service, url } of drains) this.#services.get(service)?.setDraining?.(url, true);
  }

  /** Exchanges that still run on it go on; what it alone kept is closed behind them. */
  dispose(): void {
    this.#kept.close();
  }
}
