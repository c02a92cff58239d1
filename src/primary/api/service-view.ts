// A service as Traefik's API shows it, with the state of its servers.

import type {
  HealthCheckSpec,
  LoadBalancerSpec,
  NestedServiceSpec,
  ServiceSpec,
  StickyCookieSpec,
  StickyHeaderSpec,
} from '../../model/snapshot.ts';
import { goDuration } from './answers.ts';
import { errorsOf, statusOf, type Listed } from './list.ts';
import { redactHeaders, withoutUserinfo } from './redact.ts';

/** State by server URL of one service; null where nothing checks it. */
export type ServerStates = (service: string) => ReadonlyMap<string, boolean> | null;

export function serviceView(
  service: ServiceSpec,
  usedBy: readonly string[],
  states: ReadonlyMap<string, boolean> | null,
): Listed {
  return {
    ...(service.kind === 'internal' ? {} : { [service.kind]: configView(service) }),
    ...(service.kind === 'internal' || service.middlewares === undefined
      ? {}
      : { middlewares: service.middlewares }),
    status: statusOf(service.errors, []),
    ...errorsOf(service.errors),
    ...(usedBy.length === 0 ? {} : { usedBy }),
    ...(service.kind === 'loadBalancer' ? { serverStatus: serverStatus(service, states) } : {}),
    name: service.name,
    provider: service.provider,
    ...(service.kind === 'internal' ? {} : { type: service.kind.toLowerCase() }),
  };
}

function configView(service: LoadBalancerSpec | NestedServiceSpec): Record<string, unknown> {
  return service.kind === 'loadBalancer' ? loadBalancerView(service) : nestedView(service);
}

function nestedView(service: NestedServiceSpec): Record<string, unknown> {
  const health = service.followsHealth ? { healthCheck: {} } : {};
  switch (service.kind) {
    case 'weighted':
    case 'highestRandomWeight': {
      const sticky = service.kind === 'weighted' ? service.sticky : null;
      return {
        services: service.children.map(({ written, weight }) => ({ name: written, weight })),
        ...stickyView(sticky, service.kind === 'weighted' ? service.stickyHeader : undefined),
        ...health,
      };
    }
    case 'mirroring': {
      const { mirrorBody, maxBodySize, mirrors } = service;
      return { service: service.service, mirrorBody, maxBodySize, mirrors, ...health };
    }
    case 'failover': {
      const { onErrors, fallback } = service;
      const errors =
        onErrors === null
          ? {}
          : { errors: { ...onErrors, status: onErrors.status.map(([from, to]) => `${from}-${to}`) } };
      return { service: service.service, fallback, ...health, ...errors };
    }
  }
}

function loadBalancerView(service: LoadBalancerSpec): Record<string, unknown> {
  const { sticky, healthCheck, passiveHealthCheck: passive } = service;
  return {
    ...stickyView(sticky, service.stickyHeader),
    servers: service.servers.map((server) => ({
      url: withoutUserinfo(server.url + server.path),
      ...(server.weight === 1 ? {} : { weight: server.weight }),
      ...(server.drain === true ? { drain: true } : {}),
    })),
    strategy: service.strategy ?? 'wrr',
    ...(healthCheck === null ? {} : { healthCheck: healthCheckView(healthCheck) }),
    ...(passive === undefined
      ? {}
      : {
          passiveHealthCheck: {
            failureWindow: goDuration(passive.failureWindow),
            maxFailedAttempts: passive.maxFailedAttempts,
          },
        }),
    passHostHeader: service.passHostHeader,
    responseForwarding: { flushInterval: goDuration(service.flushInterval) },
    serversTransport: service.serversTransport,
  };
}

function stickyView(
  cookie: StickyCookieSpec | null,
  header: StickyHeaderSpec | undefined,
): Record<string, unknown> {
  if (cookie === null && header === undefined) return {};
  return {
    sticky: {
      ...(cookie === null ? {} : { cookie: withoutNulls(cookie) }),
      ...(header === undefined ? {} : { header: { ...header, ttl: goDuration(header.ttl) } }),
    },
  };
}

function healthCheckView(check: HealthCheckSpec): Record<string, unknown> {
  return {
    ...withoutNulls(check),
    headers: redactHeaders(check.headers),
    interval: goDuration(check.interval),
    unhealthyInterval: goDuration(check.unhealthyInterval),
    timeout: goDuration(check.timeout),
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

function withoutNulls(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
