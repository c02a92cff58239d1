// Middlewares of a Snapshot → hooks: one instance for all routers, or one for each where state is per router.

import type { MiddlewareSpec } from '../../model/snapshot.ts';
import { findMiddleware } from '../middlewares/catalogue.ts';
import type { BuildDeps, MiddlewareDefinition } from '../middlewares/define.ts';
import type { Hooks } from '../hooks.ts';
import type { BuildContext } from './context.ts';
import { problem } from './problem.ts';

/** Hooks, or why there are none. */
export type BuiltMiddleware = Hooks | string;

export interface BuiltMiddlewares {
  /** The instance that a router uses, both by their qualified names. */
  of(name: string, router: string): BuiltMiddleware;
}

export function buildMiddlewares(
  specs: readonly MiddlewareSpec[],
  context: BuildContext,
): BuiltMiddlewares {
  const shared = new Map<string, BuiltMiddleware>();
  const perRouter = new Map<string, PerRouter>();
  for (const spec of specs) {
    const definition = findMiddleware(spec.kind);
    if (spec.errors.length > 0) shared.set(spec.name, spec.errors.join('; '));
    else if (definition === null)
      shared.set(spec.name, `there is no middleware of the kind ${spec.kind}`);
    // Chains stand in routers as the middlewares they name.
    else if (definition.kind === 'chain') shared.set(spec.name, {});
    else if (definition.perRouter) {
      perRouter.set(spec.name, { spec, definition, isReported: false });
      continue;
    } else shared.set(spec.name, instance(spec, definition, '', context));
    const made = shared.get(spec.name);
    if (typeof made === 'string' && spec.errors.length === 0) report(spec.name, made, context);
  }
  return {
    of(name, router) {
      const single = perRouter.get(name);
      if (single === undefined) return shared.get(name) ?? 'it does not exist';
      const made = instance(single.spec, single.definition, router, context);
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

function instance(
  spec: MiddlewareSpec,
  definition: MiddlewareDefinition,
  router: string,
  context: BuildContext,
): BuiltMiddleware {
  const build = (): BuiltMiddleware => {
    try {
      return definition.build(spec.options, depsFor(spec.name, router, context));
    } catch (error) {
      return (error as Error).message;
    }
  };
  // No name holds a line feed: two pairs never make one key.
  const key = router === '' ? spec.name : `${spec.name}\n${router}`;
  return context.middlewares.get(key, [spec], build);
}

function depsFor(name: string, router: string, context: BuildContext): BuildDeps {
  return {
    ...context.build,
    name,
    router,
    slot: context.slots.sequence(name),
    keep: (key, create) => context.kept.get(`middleware:${key}`, create),
  };
}

function report(name: string, reason: string, context: BuildContext): void {
  context.diagnostics.push(problem('runtime.middleware', name, reason));
}
