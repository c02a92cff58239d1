// A service with middlewares of its own: they run behind the router's, as if the router had them last.

import { GatewayError } from '../errors.ts';
import type { EndTask } from '../exchange-work.ts';
import type { Exchange } from '../exchange.ts';
import type { Hooks } from '../hooks.ts';
import { fail, runFrom } from '../pipeline.ts';
import type { Route } from '../runtime/route.ts';
import type { Service } from './service.ts';

export class ServiceWithMiddlewares implements Service, EndTask {
  readonly name: string;
  /** Without the middlewares. */
  readonly inner: Service;
  #hooks: readonly Hooks[] | null = null;
  #ends: readonly NonNullable<Hooks['end']>[] = [];
  #broken: string | null = null;
  /** Routes that lead here → the same with these middlewares. Goes with the routes: as many as there are. */
  readonly #routes = new WeakMap<Route, Route>();

  constructor(inner: Service) {
    this.name = inner.name;
    this.inner = inner;
  }

  get isBound(): boolean {
    return this.#hooks !== null;
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /** Once, before it serves: middlewares may need services, so they are built after them. */
  bind(hooks: readonly Hooks[], broken: string | null): void {
    this.#hooks = hooks;
    this.#ends = hooks.flatMap((hook) => hook.end ?? []);
    this.#broken = broken;
  }

  handle(x: Exchange): void {
    if (this.#hooks === null || this.#broken !== null) {
      fail(x, new GatewayError('router.broken', `service ${this.name}: ${this.#broken ?? 'not ready'}`));
      return;
    }
    const outer = x.route ?? noRoute;
    let route = this.#routes.get(outer);
    if (route === undefined) {
      route = routeWith(outer, this.#hooks, this.inner);
      this.#routes.set(outer, route);
    }
    // Not through the route: another attempt may leave it before the end.
    if (this.#ends.length > 0) x.atEnd(this);
    x.route = route;
    runFrom(x, route, outer.depth);
  }

  /** Throws what the last hook that failed threw, once all have run. */
  run(x: Exchange): void {
    let failure: { readonly cause: unknown } | null = null;
    for (const hook of this.#ends) {
      try {
        hook(x);
      } catch (cause) {
        failure = { cause };
      }
    }
    if (failure !== null) throw failure.cause;
  }

  setServerUp(url: string, up: boolean): void {
    this.inner.setServerUp(url, up);
  }

  isUp(): boolean {
    return this.#broken === null && this.inner.isUp();
  }

  keepsSessions(): boolean {
    return this.#broken === null && this.inner.keepsSessions?.() === true;
  }

  setDraining(url: string, isDraining: boolean): void {
    this.inner.setDraining?.(url, isDraining);
  }
}

/** Of a request of the gateway's own, which comes by no router. */
const noRoute: Route = {
  name: '',
  rule: { match: () => false } as unknown as Route['rule'],
  priority: 0n,
  service: { name: '', handle: () => {}, setServerUp: () => {}, isUp: () => true },
  depth: 0,
  request: null,
  response: null,
  end: null,
  broken: null,
  accessLogs: false,
};

function routeWith(outer: Route, hooks: readonly Hooks[], inner: Service): Route {
  const request = hooks.map((hook) => hook.request ?? null);
  const response = hooks.map((hook) => hook.response ?? null);
  return {
    ...outer,
    // The log names the service of the router, whatever that is made of.
    service: {
      name: outer.service.name,
      handle: (x) => inner.handle(x),
      setServerUp: () => {},
      isUp: () => inner.isUp(),
    },
    depth: outer.depth + hooks.length,
    request: behind(outer.request, request, outer.depth),
    response: behind(outer.response, response, outer.depth),
    within: outer,
  };
}

function behind<T>(
  outer: readonly (T | null)[] | null,
  own: readonly (T | null)[],
  depth: number,
): readonly (T | null)[] | null {
  if (own.every((hook) => hook === null)) return outer === null ? null : [...outer, ...own];
  return [...(outer ?? Array<null>(depth).fill(null)), ...own];
}
