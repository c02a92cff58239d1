// Services → specs: each by itself, then how they lie in each other.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type {
  LoadBalancerSpec,
  NestedServiceSpec,
  ServerSpec,
  ServiceSpec,
  TransportSpec,
} from '../../model/snapshot.ts';
import { healthCheck, passiveHealthCheck } from './health-check-spec.ts';
import type { Entry, Merged } from './merge.ts';
import { qualify } from './merge.ts';
import { nestServices } from './nested-services.ts';
import { nestedSpec } from './nested-spec.ts';
import type { ServiceConfig } from './provider-config.ts';
import type { LoadBalancerConfig } from './schema.ts';
import { type Warn, stickyCookie, stickyHeader } from './sticky-spec.ts';
import type { Suggest } from './suggest.ts';

export type Services = ReadonlyMap<string, ServiceSpec>;

export interface ServiceContext {
  readonly transports: ReadonlyMap<string, TransportSpec>;
  readonly suggest: Suggest;
  readonly diagnostics: Diagnostic[];
}

/** What is wrong with one is in its `errors`, and in those of every service that is made of it. */
export function resolveServices(merged: Merged, context: ServiceContext): Services {
  const specs = new Map<string, ServiceSpec>();
  for (const entry of merged.services.values()) specs.set(entry.name, serviceSpec(entry, context));
  nestServices(specs, merged, context);
  return specs;
}

function serviceSpec(entry: Entry<ServiceConfig>, context: ServiceContext): ServiceSpec {
  const { name, provider, written } = entry;
  const { value } = written;
  // A list of its own: what is found out later is added to it.
  const errors = [...written.errors];
  if (value.kind === 'internal')
    return { kind: 'internal', name, provider: 'internal', target: value.target, errors };
  const warn = (code: string, message: string) =>
    context.diagnostics.push({
      severity: 'warning',
      code,
      message: `service ${name}: ${message}`,
      where: written.where,
    });
  const middlewares = (value.middlewares ?? []).map((reference) => qualify(reference, provider));
  const common = { ...(middlewares.length === 0 ? {} : { middlewares }), errors };
  if (value.kind !== 'loadBalancer') {
    const { kind, ...own } = nestedSpec(value, { name, provider, warn });
    return { kind, name, provider, ...own, ...common } as NestedServiceSpec;
  }
  const { kind, ...own } = loadBalancer(entry, value.loadBalancer, { ...context, errors, warn });
  return { kind, name, provider, ...own, ...common };
}

interface Findings extends ServiceContext {
  readonly errors: string[];
  readonly warn: Warn;
}

type Own = Omit<LoadBalancerSpec, 'name' | 'provider' | 'errors' | 'middlewares'>;

function loadBalancer(entry: Entry<ServiceConfig>, balancer: LoadBalancerConfig, found: Findings): Own {
  const { name, provider, written } = entry;
  const { warn } = found;
  const serversTransport = qualify(balancer.serversTransport ?? 'default@internal', provider);
  const transport = found.transports.get(serversTransport);
  if (transport === undefined || transport.errors.length > 0) {
    const message = `serversTransport ${serversTransport} ${transport === undefined ? "doesn't exist" : 'is broken'}`;
    found.errors.push(message);
    found.diagnostics.push({
      severity: 'error',
      code: 'config.unknown_transport',
      message: `service ${name}: ${message}`,
      where: written.keys?.get('loadbalancer.serverstransport') ?? written.where,
      ...(transport === undefined ? found.suggest(serversTransport, found.transports) : {}),
    });
  }
  const { strategy } = balancer;
  const passive = passiveHealthCheck(balancer, warn);
  const sticky = stickyCookie(name, balancer.sticky, warn);
  if (strategy === 'hrw' && (sticky !== null || balancer.sticky?.header !== undefined))
    warn('config.sticky', 'sticky has no effect with the strategy hrw: the client address decides');
  return {
    kind: 'loadBalancer',
    servers: servers(balancer, warn),
    ...(strategy === 'wrr' ? {} : { strategy }),
    passHostHeader: balancer.passHostHeader,
    flushInterval: balancer.responseForwarding?.flushInterval ?? 100,
    serversTransport,
    sticky: strategy === 'hrw' ? null : sticky,
    ...(strategy === 'hrw' ? {} : stickyHeader(balancer.sticky)),
    healthCheck: healthCheck(balancer, warn),
    ...(passive === null ? {} : { passiveHealthCheck: passive }),
  };
}

function servers(balancer: LoadBalancerConfig, warn: Warn): ServerSpec[] {
  const specs: ServerSpec[] = [];
  for (const { url, weight, preservePath, drain } of balancer.servers) {
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
    const path = preservePath ? url.path : '';
    specs.push({ url: url.origin, path, weight, ...(drain ? { drain } : {}) });
  }
  return specs;
}
