// The gateway's own routers and services: ping, metrics, the API, and the redirections of entry points.

import { middlewareOptions } from '../../config/dynamic/middleware-schema.ts';
import {
  type DynamicConfig,
  emptyConfig,
  type MiddlewareConfig,
  type ProviderConfig,
  type ServiceConfig,
  type Written,
} from '../../config/dynamic/provider-config.ts';
import type { RouterConfig } from '../../config/dynamic/schema.ts';
import { isRedirectionPort } from '../../config/static/redirection.ts';
import type { EntryPointSpec, RedirectionSpec } from '../../model/entry-point.ts';
import { type InternalServiceSpec, maxPriority } from '../../model/snapshot.ts';

export interface InternalSettings {
  /** Entry points that answer http-01. */
  readonly challenges?: readonly string[];
  readonly entryPoints: readonly EntryPointSpec[];
  /** Null: off. */
  readonly ping: { readonly entryPoint: string; readonly manualRouting: boolean } | null;
  /** Null or absent: off. */
  readonly prometheus?: { readonly entryPoint: string; readonly manualRouting: boolean } | null;
  /** Null: off. */
  readonly api: {
    readonly basePath: string;
    readonly insecure: boolean;
    readonly dashboard: boolean;
    readonly debug?: boolean;
  } | null;
}

/** What is off has no service either: a router that names it answers 503. */
export function internalConfig(settings: InternalSettings): ProviderConfig {
  const routers: Routers = new Map();
  const middlewares = new Map<string, Written<MiddlewareConfig>>();
  const services = new Map([['noop', internalService('noop')]]);
  const { ping, prometheus = null } = settings;
  if (ping !== null) addPage('ping', { ...ping, path: '/ping' }, routers, services);
  if (prometheus !== null) addPage('prometheus', { ...prometheus, path: '/metrics' }, routers, services);
  if (settings.challenges !== undefined && settings.challenges.length > 0)
    addChallenges(settings.challenges, settings.entryPoints, routers, services);
  if (settings.api !== null) addApi(settings.api, { routers, middlewares, services });
  for (const { name, http } of settings.entryPoints) {
    if (http.redirection !== null)
      addRedirection(name, http.redirection, settings.entryPoints, { routers, middlewares });
  }
  const part: DynamicConfig = { ...emptyConfig('internal'), routers, middlewares, services };
  return { provider: 'internal', parts: [part] };
}

type Services = Map<string, Written<ServiceConfig>>;
type Routers = Map<string, Written<RouterConfig>>;

interface Page {
  readonly path: string;
  readonly entryPoint: string;
  readonly manualRouting: boolean;
}

function addPage(name: 'ping' | 'prometheus', page: Page, routers: Routers, services: Services): void {
  services.set(name, internalService(name));
  if (page.manualRouting) return;
  const keys = { rule: `PathPrefix(\`${page.path}\`)`, priority: maxPriority, service: name };
  routers.set(name, router({ ...keys, entryPoints: [page.entryPoint] }));
}

const challengeRule = 'PathPrefix(`/.well-known/acme-challenge/`)';

/** Ahead of every redirect, and of any router of a user; by-passed, it is one among them. */
function addChallenges(
  entryPoints: readonly string[],
  all: readonly EntryPointSpec[],
  routers: Routers,
  services: Services,
): void {
  services.set('acme-http', internalService('acme-http'));
  const isByPassed = (name: string): boolean => all.some((one) => one.name === name && one.allowAcmeByPass);
  const keys = { rule: challengeRule, service: 'acme-http' };
  const strict = entryPoints.filter((name) => !isByPassed(name));
  const lenient = entryPoints.filter(isByPassed);
  if (strict.length > 0)
    routers.set('acme-http', router({ ...keys, priority: maxPriority, entryPoints: strict }));
  if (lenient.length > 0)
    routers.set('acme-http-bypass', router({ ...keys, priority: 0n, entryPoints: lenient }));
}

type Api = NonNullable<InternalSettings['api']>;

function addApi(api: Api, objects: Objects & { readonly services: Services }): void {
  const { services, routers } = objects;
  services.set('api', internalService('api'));
  if (api.dashboard) services.set('dashboard', internalService('dashboard'));
  if (!api.insecure) return;
  const base = api.basePath.replace(/\/+$/, '');
  const add = (name: string, path: string): void => {
    const keys = { rule: `PathPrefix(\`${base}${path}\`)`, priority: maxPriority - 1n, service: 'api' };
    routers.set(name, router({ ...keys, entryPoints: ['traefik'] }));
  };
  add('api', '/api');
  if (api.dashboard) addDashboard(base, objects);
  if (api.debug === true) add('debug', '/debug');
}

function addDashboard(base: string, { routers, middlewares }: Objects): void {
  const toPage = middlewareOptions('redirectRegex', {
    regex: `^(https?://[^/]+)${base.replaceAll('.', '[.]')}/$`,
    replacement: `\${1}${base}/dashboard/`,
    permanent: true,
  });
  const cut = middlewareOptions('stripPrefix', { prefixes: [`${base}/dashboard/`, `${base}/dashboard`] });
  middlewares.set('dashboard_redirect', written({ kind: 'redirectRegex', options: toPage }));
  middlewares.set('dashboard_stripprefix', written({ kind: 'stripPrefix', options: cut }));
  routers.set(
    'dashboard',
    router({
      rule: `PathPrefix(\`${base === '' ? '/' : base}\`)`,
      priority: maxPriority - 2n,
      entryPoints: ['traefik'],
      middlewares: ['dashboard_redirect', 'dashboard_stripprefix'],
      service: 'dashboard',
    }),
  );
}

function internalService(target: InternalServiceSpec['target']): Written<ServiceConfig> {
  return written({ kind: 'internal', target });
}

function written<T>(value: T): Written<T> {
  return { value, where: { source: 'internal' }, errors: [] };
}

type RouterKeys = Pick<RouterConfig, 'rule' | 'priority' | 'entryPoints' | 'service'>;

function router(keys: RouterKeys & { readonly middlewares?: string[] }): Written<RouterConfig> {
  return written({ ruleSyntax: 'v3', middlewares: [], ...keys });
}

interface Objects {
  readonly routers: Routers;
  readonly middlewares: Map<string, Written<MiddlewareConfig>>;
}

function addRedirection(
  from: string,
  to: RedirectionSpec,
  all: readonly EntryPointSpec[],
  objects: Objects,
): void {
  const port = redirectionPort(to.to, all);
  const isByPassed = all.some((one) => one.name === from && one.allowAcmeByPass);
  const name = `${from}-to-${to.to}`
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join('-');
  const options = middlewareOptions('redirectScheme', {
    scheme: to.scheme,
    port,
    permanent: to.permanent,
  });
  objects.middlewares.set(`redirect-${name}`, written({ kind: 'redirectScheme', options }));
  objects.routers.set(
    name,
    router({
      rule: isByPassed ? `HostRegexp(\`^.+$\`) && !${challengeRule}` : 'HostRegexp(`^.+$`)',
      priority: to.priority,
      entryPoints: [from],
      middlewares: [`redirect-${name}`],
      service: 'noop',
    }),
  );
}

/** Empty: the scheme's own, also where `check` meets a port that is not known yet or is none. */
function redirectionPort(to: string, all: readonly EntryPointSpec[]): string {
  const written = to.startsWith(':') ? to.slice(1) : (all.find(({ name }) => name === to)?.port ?? 0);
  return isRedirectionPort(written) && Number(written) !== 443 ? String(written) : '';
}
