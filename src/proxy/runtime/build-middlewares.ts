// Middlewares of a Snapshot → hooks: one instance for all routers, or one for each where state is per router.

import type { MiddlewareSpec } from '../../model/snapshot.ts';
import { findMiddleware } from '../middlewares/catalogue.ts';
import type { BuildDeps, MiddlewareDefinition } from '../middlewares/define.ts';
import type { Hooks } from '../hooks.ts';
import type { Service } from '../services/service.ts';
import type { BuildContext } from './context.ts';
import { problem } from './problem.ts';

/** Hooks, or why there are none. */
export type BuiltMiddleware = Hooks | string;

export interface BuiltMiddlewares {
  /** The instance that a router uses, both by their qualified names; or a service, as `ownerOfService` names it. */
  of(name: string, owner: string): BuiltMiddleware;
  /** Empty for one that does not exist. */
  kindOf(name: string): string;
}

/** A service as the owner of middlewares: routers may bear the same name, and no name holds a line feed. */
export function ownerOfService(name: string): string {
  return `service\n${name}`;
}

/**
 * Whose places in `x.slots` are used: an Exchange runs through one router, but then through any number of services,
 * each with an instance of its own of what is `perRouter`.
 */
export function slotOwner(middleware: string, owner: string): string {
  return owner.startsWith('service\n') ? `${middleware}\n${owner}` : middleware;
}

type Services = ReadonlyMap<string, Service>;

export function buildMiddlewares(
  specs: readonly MiddlewareSpec[],
  services: Services,
  context: BuildContext,
): BuiltMiddlewares {
  const shared = new Map<string, BuiltMiddleware>();
  const perRouter = new Map<string, PerRouter>();
  for (const spec of specs) {
    const definition = findMiddleware(spec.kind);
    if (spec.errors.length > 0) shared.set(spec.name, spec.errors.join('; '));
    else if (definition === null) shared.set(spec.name, `there is no middleware of the kind ${spec.kind}`);
    // Chains stand in routers as the middlewares they name.
    else if (definition.kind === 'chain') shared.set(spec.name, {});
    else if (definition.perRouter) {
      perRouter.set(spec.name, { spec, definition, isReported: false });
      continue;
    } else shared.set(spec.name, instance({ spec, definition, router: '', services }, context));
    const made = shared.get(spec.name);
    if (typeof made === 'string' && spec.errors.length === 0) report(spec.name, made, context);
  }
  const kinds = new Map(specs.map((spec) => [spec.name, spec.kind]));
  return {
    kindOf: (name) => kinds.get(name) ?? '',
    of(name, router) {
      const single = perRouter.get(name);
      if (single === undefined) return shared.get(name) ?? 'it does not exist';
      const made = instance({ ...single, router, services }, context);
      // Its options are the same everywhere: what is wrong with them is said once.
      if (typeof made === 'string' && !single.isReported) {
        single.isReported = true;
        report(name, made, context);
      }
      return made;
    },
  };
}

interface PerRouter {
  readonly spec: MiddlewareSpec;
  readonly definition: MiddlewareDefinition;
  isReported: boolean;
}

interface Wanted {
  readonly spec: MiddlewareSpec;
  readonly definition: MiddlewareDefinition;
  /** Empty: one instance for all. */
  readonly router: string;
  readonly services: Services;
}

function instance(wanted: Wanted, context: BuildContext): BuiltMiddleware {
  const { spec, definition, router, services } = wanted;
  const build = (): BuiltMiddleware => {
    try {
      return definition.build(spec.options, depsFor(wanted, context));
    } catch (error) {
      return (error as Error).message;
    }
  };
  // No name holds a line feed: two pairs never make one key.
  const key = router === '' ? spec.name : `${spec.name}\n${router}`;
  const asked = definition.services?.(spec.options).map((name) => services.get(qualified(name, spec))) ?? [];
  // What failed may have failed for something outside of its options, too.
  const isStale = typeof context.middlewares.before(key)?.thing === 'string';
  const inputs = [spec, ...asked];
  return context.middlewares.get(key, isStale ? [...inputs, context.diagnostics] : inputs, build);
}

function depsFor({ spec, router, services }: Wanted, context: BuildContext): BuildDeps {
  return {
    ...context.build,
    name: spec.name,
    router,
    slot: context.slots.sequence(slotOwner(spec.name, router)),
    keep: (key, create) => context.kept.get(`middleware:${key}`, create),
    service(name) {
      const service = services.get(qualified(name, spec));
      if (service === undefined) throw new Error(`service "${qualified(name, spec)}" cannot be used`);
      return service;
    },
  };
}

function qualified(name: string, { provider }: MiddlewareSpec): string {
  return name.includes('@') ? name : `${name}@${provider}`;
}

function report(name: string, reason: string, context: BuildContext): void {
  context.diagnostics.push(problem('runtime.middleware', name, reason));
}
