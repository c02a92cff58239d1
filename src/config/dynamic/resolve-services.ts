// Services → specs: servers, sticky cookie, health check, transport.

import { createHash } from 'node:crypto';
import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type {
  HealthCheckSpec,
  ServerSpec,
  ServiceSpec,
  StickyCookieSpec,
  TransportSpec,
} from '../../model/snapshot.ts';
import type { Entry, Merged } from './merge.ts';
import { qualify } from './merge.ts';
import type { ServiceConfig } from './provider-config.ts';
import type { LoadBalancerConfig } from './schema.ts';

type Services = ReadonlyMap<string, ServiceSpec>;
type Transports = ReadonlyMap<string, TransportSpec>;

export function resolveServices(merged: Merged, transports: Transports, diagnostics: Diagnostic[]): Services {
  const specs = new Map<string, ServiceSpec>();
  for (const entry of merged.services.values())
    specs.set(entry.name, serviceSpec(entry, transports, diagnostics));
  return specs;
}

function serviceSpec(
  entry: Entry<ServiceConfig>,
  transports: Transports,
  diagnostics: Diagnostic[],
): ServiceSpec {
  const { name, provider, written } = entry;
  if (written.value.kind === 'internal') {
    const { target } = written.value;
    return { kind: 'internal', name, provider: 'internal', target, errors: written.errors };
  }
  const balancer = written.value.loadBalancer;
  const warn = (code: string, message: string) =>
    diagnostics.push({
      severity: 'warning',
      code,
      message: `service ${name}: ${message}`,
      where: written.where,
    });
  const errors = [...written.errors];
  const serversTransport = qualify(balancer.serversTransport ?? 'default@internal', provider);
  const transport = transports.get(serversTransport);
  if (transport === undefined || transport.errors.length > 0) {
    const message = `serversTransport ${serversTransport} ${transport === undefined ? "doesn't exist" : 'is broken'}`;
    errors.push(message);
    diagnostics.push(serviceError(name, message, written.where));
  }
  return {
    kind: 'loadBalancer',
    name,
    provider,
    servers: servers(balancer, warn),
    passHostHeader: balancer.passHostHeader,
    flushInterval: balancer.responseForwarding?.flushInterval ?? 100,
    serversTransport,
    sticky: stickyCookie(name, balancer, warn),
    healthCheck: healthCheck(balancer, warn),
    errors,
  };
}

function serviceError(name: string, message: string, where: Place): Diagnostic {
  return {
    severity: 'error',
    code: 'config.unknown_transport',
    message: `service ${name}: ${message}`,
    where,
  };
}

type Warn = (code: string, message: string) => void;

function servers(balancer: LoadBalancerConfig, warn: Warn): ServerSpec[] {
  const specs: ServerSpec[] = [];
  for (const { url, weight, preservePath } of balancer.servers) {
    if (url.path !== '' && !preservePath) {
      warn(
        'config.server_path',
        `the path ${url.path.slice(0, 80)} of ${url.origin} has no effect without preservePath`,
      );
    }
    if (weight <= 0) {
      warn('config.server_weight', `${url.origin} is left out: its weight is ${weight}`);
      continue;
    }
    specs.push({ url: url.origin, path: preservePath ? url.path : '', weight });
  }
  return specs;
}

function stickyCookie(service: string, balancer: LoadBalancerConfig, warn: Warn): StickyCookieSpec | null {
  const cookie = balancer.sticky?.cookie;
  if (cookie === undefined) return null;
  const sameSite = cookie.sameSite?.toLowerCase();
  const isSameSite = sameSite === 'none' || sameSite === 'lax' || sameSite === 'strict';
  if (sameSite !== undefined && sameSite !== '' && !isSameSite) {
    const shown = JSON.stringify(sameSite.slice(0, 40));
    warn('config.sticky', `sticky.cookie.sameSite is ${shown}, expected none, lax or strict: it is left out`);
  }
  if (cookie.name !== undefined && token(cookie.name) !== cookie.name)
    warn('config.sticky', `sticky.cookie.name becomes ${token(cookie.name).slice(0, 80)}`);
  return {
    name: cookie.name === undefined || cookie.name === '' ? cookieName(service) : token(cookie.name),
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    sameSite: isSameSite ? sameSite : null,
    maxAge: cookie.maxAge,
    path: cookie.path === '' ? '/' : cookie.path,
    domain: cookie.domain === undefined || cookie.domain === '' ? null : cookie.domain,
  };
}

/** As Traefik names it, so that cookies given out by one are understood by the other. */
function cookieName(service: string): string {
  return `_${createHash('sha1').update(`_TRAEFIK_BACKEND_${service}`).digest('hex').slice(0, 5)}`;
}

function token(name: string): string {
  return name.replace(/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/g, '_');
}

function healthCheck(balancer: LoadBalancerConfig, warn: Warn): HealthCheckSpec | null {
  const check = balancer.healthCheck;
  if (check === undefined) return null;
  const positive = (key: string, value: number, byDefault: number) => {
    if (value > 0) return value;
    warn('config.health_check', `healthCheck.${key} must be above 0: ${byDefault / 1000}s is used`);
    return byDefault;
  };
  if (/^[a-z]+:\/\//i.test(check.path))
    warn('config.health_check', 'healthCheck.path is a URL, expected a path that begins with /');
  const interval = positive('interval', check.interval, 30_000);
  return {
    path: check.path.startsWith('/') ? check.path : `/${check.path}`,
    scheme: check.scheme ?? null,
    port: check.port ?? null,
    hostname: check.hostname ?? null,
    method: check.method.toUpperCase(),
    status: check.status,
    interval,
    unhealthyInterval:
      check.unhealthyInterval === undefined
        ? interval
        : positive('unhealthyInterval', check.unhealthyInterval, interval),
    timeout: positive('timeout', check.timeout, 5000),
    followRedirects: check.followRedirects,
    headers: check.headers,
    rise: Math.max(1, check.rise),
    fall: Math.max(1, check.fall),
    initial: check.initial,
  };
}
