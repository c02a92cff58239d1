// Snapshot → Runtime: everything that can be decided before traffic is decided here.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type {
  LoadBalancerSpec,
  MiddlewareSpec,
  RouterSpec,
  Snapshot,
  TransportSpec,
} from '../../model/snapshot.ts';
import { compileRule } from '../../rules/compile.ts';
import type { BuildDeps } from '../middlewares/define.ts';
import { findMiddleware } from '../middlewares/catalogue.ts';
import type { Hooks } from '../hooks.ts';
import { buildTable } from '../router/table.ts';
import { buildInternalService, type InternalFacts } from '../services/internal.ts';
import { LoadBalancer } from '../services/load-balancer.ts';
import { Rotation } from '../services/rotation.ts';
import { Server } from '../services/server.ts';
import type { Service } from '../services/service.ts';
import { Http1Pool } from '../upstream/http1/pool.ts';
import type { KeepHandle } from './keep.ts';
import { collectManagedNames } from './managed-names.ts';
import type { ExchangeHook, RequestHook, Route } from './route.ts';
import { Runtime, type Tables } from './runtime.ts';

export interface AssembleDeps {
  readonly entryPoints: readonly string[];
  readonly kept: KeepHandle;
  readonly internal: InternalFacts;
  /** What every middleware's build gets, but for its name and slots. */
  readonly build: Omit<BuildDeps, 'name' | 'slot' | 'keep'>;
}

export interface Assembled {
  readonly runtime: Runtime;
  /** Why single routers are off; the Runtime runs all the same, those routers answer 503. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Throws only for a bug: what is wrong with a single object makes the routers that need it answer 503. */
export function assemble(snapshot: Snapshot, deps: AssembleDeps): Assembled {
  const diagnostics: Diagnostic[] = [];
  const middlewares = buildMiddlewares(snapshot.middlewares, deps, diagnostics);
  const services = buildServices(snapshot, deps);
  const routes: Built[] = [];
  for (const spec of snapshot.routers) {
    const route = buildRoute(spec, middlewares, services);
    if (typeof route === 'string') diagnostics.push(problem('runtime.rule', spec.name, route));
    else routes.push({ spec, route });
  }
  const runtime = new Runtime({
    version: snapshot.version,
    hash: snapshot.hash,
    tables: buildTables(routes, deps.entryPoints),
    services,
    managed: collectManagedNames(snapshot.middlewares),
    kept: deps.kept,
  });
  return { runtime, diagnostics };
}

interface Built {
  readonly spec: RouterSpec;
  readonly route: Route;
}

/** Hooks, or why there are none. */
type BuiltMiddleware = Hooks | string;

function buildMiddlewares(
  specs: readonly MiddlewareSpec[],
  deps: AssembleDeps,
  diagnostics: Diagnostic[],
): ReadonlyMap<string, BuiltMiddleware> {
  const built = new Map<string, BuiltMiddleware>();
  let slots = 0;
  const slot = (): number => slots++;
  const keep: BuildDeps['keep'] = (key, create) => deps.kept.get(`middleware:${key}`, create);
  for (const spec of specs) {
    const made = buildMiddleware(spec, { ...deps.build, name: spec.name, slot, keep });
    if (typeof made === 'string' && spec.errors.length === 0) {
      diagnostics.push(problem('runtime.middleware', spec.name, made));
    }
    built.set(spec.name, made);
  }
  return built;
}

function buildMiddleware(spec: MiddlewareSpec, deps: BuildDeps): BuiltMiddleware {
  if (spec.errors.length > 0) return spec.errors.join('; ');
  const definition = findMiddleware(spec.kind);
  if (definition === null) return `there is no middleware of the kind ${spec.kind}`;
  // Chains stand in routers as the middlewares they name.
  if (definition.kind === 'chain') return {};
  try {
    return definition.build(spec.options, deps);
  } catch (error) {
    return (error as Error).message;
  }
}

function buildServices(snapshot: Snapshot, deps: AssembleDeps): ReadonlyMap<string, Service> {
  const transports = new Map(
    snapshot.transports.map((spec) => [spec.name, { spec, key: JSON.stringify(spec) }]),
  );
  const services = new Map<string, Service>();
  for (const spec of snapshot.services) {
    if (spec.errors.length > 0) continue;
    if (spec.kind === 'internal') {
      services.set(spec.name, buildInternalService(spec, deps.internal));
      continue;
    }
    const transport = transports.get(spec.serversTransport);
    if (transport === undefined || transport.spec.errors.length > 0) continue;
    services.set(spec.name, buildLoadBalancer(spec, transport, deps.kept));
  }
  return services;
}

/** A transport, and what tells its pools from those of others. */
interface KeyedTransport {
  readonly spec: TransportSpec;
  readonly key: string;
}

function buildLoadBalancer(spec: LoadBalancerSpec, transport: KeyedTransport, kept: KeepHandle): Service {
  const servers = spec.servers
    .filter((server) => server.weight > 0)
    .map((server) => {
      const pool = kept.get(
        `pool:${server.url} ${transport.key}`,
        () => new Http1Pool(server.url, transport.spec),
      );
      return new Server(server, transport.spec, pool);
    });
  return new LoadBalancer(spec, servers, new Rotation(servers, Math.random()));
}

/** The route, or why its rule cannot be compiled. */
function buildRoute(
  spec: RouterSpec,
  middlewares: ReadonlyMap<string, BuiltMiddleware>,
  services: ReadonlyMap<string, Service>,
): Route | string {
  const compiled = compileRule(spec.rule, spec.ruleSyntax);
  if (!compiled.ok) return compiled.error.message;
  const hooks: Hooks[] = [];
  const reasons = [...spec.errors];
  for (const name of spec.middlewares) {
    const made = middlewares.get(name) ?? 'it does not exist';
    if (typeof made === 'string') reasons.push(`middleware "${name}": ${made}`);
    else hooks.push(made);
  }
  const service = services.get(spec.service);
  if (service === undefined && reasons.length === 0) reasons.push(`service "${spec.service}" cannot be used`);
  return {
    name: spec.name,
    rule: compiled.rule,
    priority: spec.priority,
    service: service ?? noService,
    ...flatten(hooks),
    broken: reasons.length === 0 ? null : reasons.join('; '),
    accessLogs: spec.accessLogs,
  };
}

/** Never reached: its routes are broken and answer before the service. */
const noService: Service = { name: '', handle: () => {}, setServerUp: () => {} };

function flatten(hooks: readonly Hooks[]): Pick<Route, 'depth' | 'request' | 'response' | 'end'> {
  const request: (RequestHook | null)[] = hooks.map((hook) => hook.request ?? null);
  const response: (ExchangeHook | null)[] = hooks.map((hook) => hook.response ?? null);
  const end = hooks.flatMap((hook) => hook.end ?? []);
  return {
    depth: hooks.length,
    request: request.some((hook) => hook !== null) ? request : null,
    response: response.some((hook) => hook !== null) ? response : null,
    end: end.length > 0 ? end : null,
  };
}

function buildTables(routes: readonly Built[], entryPoints: readonly string[]): ReadonlyMap<string, Tables> {
  const tables = new Map<string, Tables>();
  for (const name of entryPoints) {
    const here = routes.filter(({ spec }) => spec.entryPoints.includes(name));
    tables.set(name, {
      http: buildTable(here.filter(({ spec }) => spec.tls === null).map(({ route }) => route)),
      https: buildTable(here.filter(({ spec }) => spec.tls !== null).map(({ route }) => route)),
    });
  }
  return tables;
}

function problem(code: string, name: string, message: string): Diagnostic {
  return {
    severity: 'warning',
    code,
    message: `${name}: ${message}`,
    where: { source: 'runtime', path: name },
  };
}
