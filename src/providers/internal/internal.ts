// The gateway's own routers and services: ping, the API, and the redirections of entry points.

import { middlewareOptions } from '../../config/dynamic/middleware-schema.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ProviderConfig,
  ServiceConfig,
  Written,
} from '../../config/dynamic/provider-config.ts';
import type { RouterConfig } from '../../config/dynamic/schema.ts';
import type { EntryPointSpec, RedirectionSpec } from '../../model/entry-point.ts';
import { maxPriority } from '../../model/snapshot.ts';

export interface InternalSettings {
  readonly entryPoints: readonly EntryPointSpec[];
  /** Null: no ping, or routed by the user. */
  readonly ping: { readonly entryPoint: string } | null;
  /** Null: not served without a router of the user. */
  readonly insecureApi: { readonly basePath: string } | null;
}

/** `api@internal`, `ping@internal` and the like can be named by any router, whatever is switched on. */
export function internalConfig(settings: InternalSettings): ProviderConfig {
  const routers = new Map<string, Written<RouterConfig>>();
  const middlewares = new Map<string, Written<MiddlewareConfig>>();
  if (settings.ping !== null) {
    const entryPoints = [settings.ping.entryPoint];
    routers.set(
      'ping',
      router({ rule: 'PathPrefix(`/ping`)', priority: maxPriority, entryPoints, service: 'ping' }),
    );
  }
  if (settings.insecureApi !== null) {
    const base = settings.insecureApi.basePath.replace(/\/+$/, '');
    const rule = `PathPrefix(\`${base}/api\`)`;
    routers.set(
      'api',
      router({ rule, priority: maxPriority - 1n, entryPoints: ['traefik'], service: 'api' }),
    );
  }
  for (const { name, http } of settings.entryPoints) {
    if (http.redirection !== null)
      addRedirection(name, http.redirection, settings.entryPoints, { routers, middlewares });
  }
  const part: DynamicConfig = { source: 'internal', routers, middlewares, services, transports: new Map() };
  return { provider: 'internal', parts: [part] };
}

const services: DynamicConfig['services'] = new Map<string, Written<ServiceConfig>>([
  ['api', written({ kind: 'internal', target: 'api' })],
  // One target until there is a dashboard to tell apart.
  ['dashboard', written({ kind: 'internal', target: 'api' })],
  ['ping', written({ kind: 'internal', target: 'ping' })],
  ['noop', written({ kind: 'internal', target: 'noop' })],
]);

function written<T>(value: T): Written<T> {
  return { value, where: { source: 'internal' }, errors: [] };
}

type RouterKeys = Pick<RouterConfig, 'rule' | 'priority' | 'entryPoints' | 'service'>;

function router(keys: RouterKeys & { readonly middlewares?: string[] }): Written<RouterConfig> {
  return written({ ruleSyntax: 'v3', middlewares: [], ...keys });
}

interface Objects {
  readonly routers: Map<string, Written<RouterConfig>>;
  readonly middlewares: Map<string, Written<MiddlewareConfig>>;
}

function addRedirection(
  from: string,
  to: RedirectionSpec,
  all: readonly EntryPointSpec[],
  objects: Objects,
): void {
  const port = to.to.startsWith(':')
    ? to.to.slice(1)
    : String(all.find(({ name }) => name === to.to)?.port ?? '');
  const name = `${from}-to-${to.to}`.replace(/[^\p{L}\p{N}]+/gu, '-');
  const options = middlewareOptions('redirectScheme', {
    scheme: to.scheme,
    port: port === '443' ? '' : port,
    permanent: to.permanent,
  });
  objects.middlewares.set(`redirect-${name}`, written({ kind: 'redirectScheme', options }));
  objects.routers.set(
    name,
    router({
      rule: 'HostRegexp(`^.+$`)',
      priority: to.priority,
      entryPoints: [from],
      middlewares: [`redirect-${name}`],
      service: 'noop',
    }),
  );
}
