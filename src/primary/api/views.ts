// Snapshot to the objects Traefik's API shows: same keys, same words.

import type {
  HealthCheckSpec,
  LoadBalancerSpec,
  MiddlewareSpec,
  RouterSpec,
  ServiceSpec,
  Snapshot,
} from '../../model/snapshot.ts';
import { goDuration } from './answers.ts';
import type { Listed, Status } from './list.ts';
import { redact, withoutUserinfo } from './redact.ts';

/** State by server URL of one service; null where nothing checks it. */
export type ServerStates = (service: string) => ReadonlyMap<string, boolean> | null;

export interface Views {
  readonly routers: readonly Listed[];
  readonly services: readonly Listed[];
  readonly middlewares: readonly Listed[];
}

export function viewsOf(snapshot: Snapshot, states: ServerStates): Views {
  const users = usersOf(snapshot.routers);
  return {
    routers: snapshot.routers.map(routerView),
    services: snapshot.services.map((service) =>
      serviceView(service, users.get(`service ${service.name}`) ?? [], states(service.name)),
    ),
    middlewares: snapshot.middlewares.map((middleware) =>
      middlewareView(middleware, users.get(`middleware ${middleware.name}`) ?? []),
    ),
  };
}

function routerView(router: RouterSpec): Listed {
  const { tls } = router;
  return {
    entryPoints: router.entryPoints,
    ...(router.middlewares.length === 0 ? {} : { middlewares: router.middlewares }),
    service: unqualified(router.service, router.provider),
    rule: router.rule,
    // JavaScript readers lose the last digits of a Go int64: the text beside it is exact.
    priority: Number(router.priority),
    priorityStr: String(router.priority),
    ...(tls === null
      ? {}
      : {
          tls: {
            ...(tls.options === null ? {} : { options: tls.options }),
            ...(tls.certResolver === null ? {} : { certResolver: tls.certResolver }),
          },
        }),
    observability: { accessLogs: router.accessLogs, metrics: true, tracing: true, traceVerbosity: 'minimal' },
    status: statusOf(router.errors, router.warnings),
    ...errorsOf([...router.errors, ...router.warnings]),
    using: router.entryPoints,
    name: router.name,
    provider: router.provider,
  };
}

function serviceView(
  service: ServiceSpec,
  usedBy: readonly string[],
  states: ReadonlyMap<string, boolean> | null,
): Listed {
  return {
    ...(service.kind === 'internal' ? {} : { loadBalancer: loadBalancerView(service) }),
    status: statusOf(service.errors, []),
    ...errorsOf(service.errors),
    ...(usedBy.length === 0 ? {} : { usedBy }),
    ...(service.kind === 'internal' ? {} : { serverStatus: serverStatus(service, states) }),
    name: service.name,
    provider: service.provider,
    ...(service.kind === 'internal' ? {} : { type: 'loadbalancer' }),
  };
}

function loadBalancerView(service: LoadBalancerSpec): Record<string, unknown> {
  const { sticky, healthCheck } = service;
  return {
    ...(sticky === null ? {} : { sticky: { cookie: withoutNulls(sticky) } }),
    servers: service.servers.map((server) => ({
      url: withoutUserinfo(server.url + server.path),
      ...(server.weight === 1 ? {} : { weight: server.weight }),
    })),
    strategy: 'wrr',
    ...(healthCheck === null ? {} : { healthCheck: healthCheckView(healthCheck) }),
    passHostHeader: service.passHostHeader,
    responseForwarding: { flushInterval: goDuration(service.flushInterval) },
    serversTransport: service.serversTransport,
  };
}

function healthCheckView(check: HealthCheckSpec): Record<string, unknown> {
  return {
    ...withoutNulls(check),
    headers: (redact({ headers: check.headers }) as { readonly headers: unknown }).headers,
    interval: goDuration(check.interval),
    unhealthyInterval: goDuration(check.unhealthyInterval),
    timeout: goDuration(check.timeout),
  };
}

function middlewareView(middleware: MiddlewareSpec, usedBy: readonly string[]): Listed {
  return {
    [middleware.kind]: redact(middleware.options ?? {}),
    status: statusOf(middleware.errors, []),
    ...errorsOf(middleware.errors),
    ...(usedBy.length === 0 ? {} : { usedBy }),
    name: middleware.name,
    provider: middleware.provider,
    type: middleware.kind.toLowerCase(),
  };
}

function serverStatus(
  service: LoadBalancerSpec,
  states: ReadonlyMap<string, boolean> | null,
): Record<string, 'UP' | 'DOWN'> {
  const status: Record<string, 'UP' | 'DOWN'> = {};
  for (const { url } of service.servers) {
    status[withoutUserinfo(url)] = states?.get(url) === false ? 'DOWN' : 'UP';
  }
  return status;
}

/** Who uses what, in one pass over the routers. */
function usersOf(routers: readonly RouterSpec[]): ReadonlyMap<string, readonly string[]> {
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
  return users;
}

/** Traefik shows a service as it was written, mostly without its own provider's name. */
function unqualified(service: string, provider: string): string {
  return service.endsWith(`@${provider}`) ? service.slice(0, -provider.length - 1) : service;
}

function statusOf(errors: readonly string[], warnings: readonly string[]): Status {
  if (errors.length > 0) return 'disabled';
  return warnings.length > 0 ? 'warning' : 'enabled';
}

function errorsOf(errors: readonly string[]): { readonly error?: readonly string[] } {
  return errors.length === 0 ? {} : { error: errors };
}

function withoutNulls(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
