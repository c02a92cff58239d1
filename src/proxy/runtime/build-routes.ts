// Routers of a Snapshot → routes: rule compiled, hooks laid flat, service at hand.

import type { RouterSpec } from '../../model/snapshot.ts';
import type { WorkerMeters } from '../../observability/worker-metrics.ts';
import { type CompileResult, compileRule } from '../../rules/compile.ts';
import type { Hooks } from '../hooks.ts';
import type { Service } from '../services/service.ts';
import type { BuiltMiddleware, BuiltMiddlewares } from './build-middlewares.ts';
import type { BuildContext } from './context.ts';
import { spanName } from '../trace-names.ts';
import { problem } from './problem.ts';
import type { ExchangeHook, RequestHook, ResponseHook, Route } from './route.ts';

export interface BuiltRoute {
  readonly spec: RouterSpec;
  readonly compiled: CompileResult;
  /** Null when the rule cannot be compiled. */
  readonly route: Route | null;
}

/**
 * In the order of the specs, without those whose rule cannot be compiled. A route whose spec, middlewares and
 * service are those of the Runtime before is taken over; a rule whose text is the same is not compiled again.
 */
export function buildRoutes(
  specs: readonly RouterSpec[],
  middlewares: BuiltMiddlewares,
  services: ReadonlyMap<string, Service>,
  context: BuildContext,
): readonly BuiltRoute[] {
  const routes: BuiltRoute[] = [];
  for (const spec of specs) {
    const service = services.get(spec.service);
    const hooks = spec.middlewares.map((name) => middlewares.of(name, spec.name));
    const build = () => {
      const built = buildRoute(spec, hooks, service, context.routes.before(spec.name)?.thing);
      return metered(traced(built, middlewares), context.meters ?? null);
    };
    const built = context.routes.get(spec.name, [spec, service, ...hooks], build);
    if (built.route !== null) routes.push(built);
    else if (!built.compiled.ok)
      context.diagnostics.push(problem('runtime.rule', spec.name, built.compiled.error.message));
  }
  return routes;
}

function buildRoute(
  spec: RouterSpec,
  middlewares: readonly BuiltMiddleware[],
  service: Service | undefined,
  before: BuiltRoute | undefined,
): BuiltRoute {
  const isSameRule = before?.spec.rule === spec.rule && before.spec.ruleSyntax === spec.ruleSyntax;
  const compiled = isSameRule ? before.compiled : compileRule(spec.rule, spec.ruleSyntax);
  if (!compiled.ok) return { spec, compiled, route: null };
  const hooks: Hooks[] = [];
  const reasons = [...spec.errors];
  for (const [i, made] of middlewares.entries()) {
    if (typeof made === 'string') reasons.push(`middleware "${spec.middlewares[i]}": ${made}`);
    else hooks.push(made);
  }
  if (service === undefined && reasons.length === 0) reasons.push(`service "${spec.service}" cannot be used`);
  const route: Route = {
    name: spec.name,
    rule: compiled.rule,
    priority: spec.priority,
    service: service ?? noService,
    ...flatten(hooks),
    broken: reasons.length === 0 ? null : reasons.join('; '),
    accessLogs: spec.accessLogs,
  };
  return { spec, compiled, route };
}

/** A middleware's kind is part of its spec, and a route whose middlewares change is built anew. */
function traced(built: BuiltRoute, middlewares: BuiltMiddlewares): BuiltRoute {
  const { spec, route } = built;
  if (route === null || spec.tracing === false) return built;
  const isDetailed = spec.traceVerbosity === 'detailed';
  const names = isDetailed ? spec.middlewares : [];
  const hops = names.map((name) => ({ name, type: spanName(middlewares.kindOf(name)) }));
  return { ...built, route: { ...route, traced: { rule: spec.rule, isDetailed, middlewares: hops } } };
}

function metered(built: BuiltRoute, meters: WorkerMeters | null): BuiltRoute {
  const { spec, route } = built;
  if (meters === null || route === null) return built;
  const isOurs = spec.provider === 'internal' || spec.service.endsWith('@internal');
  const isMetered = spec.metrics !== false && (meters.settings.addInternals || !isOurs);
  const meter = isMetered ? meters.router(spec.name, spec.service) : null;
  return { ...built, route: { ...route, isMetered, meter } };
}

/** Never reached: its routes are broken and answer before the service. */
const noService: Service = { name: '', handle: () => {}, setServerUp: () => {}, isUp: () => false };

function flatten(hooks: readonly Hooks[]): Pick<Route, 'depth' | 'request' | 'response' | 'end'> {
  const request: (RequestHook | null)[] = hooks.map((hook) => hook.request ?? null);
  const response: (ResponseHook | null)[] = hooks.map((hook) => hook.response ?? null);
  const end: ExchangeHook[] = hooks.flatMap((hook) => hook.end ?? []);
  return {
    depth: hooks.length,
    request: request.some((hook) => hook !== null) ? request : null,
    response: response.some((hook) => hook !== null) ? response : null,
    end: end.length > 0 ? end : null,
  };
}
