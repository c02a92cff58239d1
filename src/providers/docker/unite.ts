// The parts of all containers → parts in which every name stands once.

import { canonicalJson } from '../../config/dynamic/hash.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ServiceConfig,
  Written,
} from '../../config/dynamic/provider-config.ts';
import type { LoadBalancerConfig, RouterConfig } from '../../config/dynamic/schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { differingKeys } from './differences.ts';
import { collect, type Definition, type Definitions, optionsOf, ownerOf, type Part } from './definitions.ts';
import { findOverruled } from './overruled.ts';

/**
 * Equal definitions become one, services with equal options one with all servers. Where definitions differ nobody
 * knows which is meant: the object stays, broken, so that what needs it answers 503; a router whose definitions
 * would even stand in different places is removed. A part with errors that means something else by a name than
 * what is used has its routers closed. `parts` are in order; the first definer's part keeps the object.
 */
export function unite(parts: readonly Part[], diagnostics: Diagnostic[]): DynamicConfig[] {
  const routers = collect(parts, (config) => config.routers);
  const middlewares = collect(parts, (config) => config.middlewares);
  const services = collect(parts, (config) => config.services);
  const united = parts.map(({ config }) => ({
    source: config.source,
    routers: new Map<string, Written<RouterConfig>>(),
    middlewares: new Map<string, Written<MiddlewareConfig>>(),
    services: new Map<string, Written<ServiceConfig>>(),
    transports: config.transports,
    tls: config.tls,
  }));
  const overruled = findOverruled(parts, middlewares, services, diagnostics);
  for (const [name, found] of routers) {
    const router = uniteRouters(name, found, diagnostics);
    const reasons = found.flatMap(({ part }) => overruled.get(part) ?? []);
    if (router !== null)
      united[ownerOf(found)]?.routers.set(name, { ...router, errors: [...router.errors, ...reasons] });
  }
  for (const [name, found] of middlewares)
    united[ownerOf(found)]?.middlewares.set(name, uniteMiddlewares(name, found, diagnostics));
  for (const [name, found] of services)
    united[ownerOf(found)]?.services.set(name, uniteServices(name, found, diagnostics));
  return united;
}

function uniteRouters(
  name: string,
  found: Definitions<RouterConfig>,
  diagnostics: Diagnostic[],
): Written<RouterConfig> | null {
  const first = oneBroken(found);
  const other = odd(found, (value) => value);
  if (other === null) return first;
  const staysInPlace = odd(found, placeOf) === null;
  const end = staysInPlace ? 'it answers 503' : 'neither is used';
  const message = conflict(`router ${name}`, [found[0], other], end);
  diagnostics.push(conflictDiagnostic(message, [found[0], other]));
  return staysInPlace ? { ...first, errors: [...first.errors, message] } : null;
}

/** What decides where a router stands. */
function placeOf({ rule, ruleSyntax, priority, entryPoints, tls }: RouterConfig): unknown {
  return { rule, ruleSyntax, priority, entryPoints, hasTls: tls !== undefined };
}

function uniteMiddlewares(
  name: string,
  found: Definitions<MiddlewareConfig>,
  diagnostics: Diagnostic[],
): Written<MiddlewareConfig> {
  const first = oneBroken(found);
  const other = odd(found, (value) => value);
  if (other === null) return first;
  const message = conflict(`middleware ${name}`, [found[0], other], 'routers that use it answer 503');
  diagnostics.push(conflictDiagnostic(message, [found[0], other]));
  return { ...first, value: brokenValue(found), errors: [...first.errors, message] };
}

/** The names that only an auth server may set stay guarded, those of all definitions. */
function brokenValue(found: Definitions<MiddlewareConfig>): MiddlewareConfig {
  const guards = found.map(({ written }) => written.value).filter(({ kind }) => kind === 'forwardAuth');
  if (guards.length === 0) return { kind: found[0].written.value.kind, options: null };
  const names = new Set<string>();
  for (const { options } of guards) {
    const read = options as {
      readonly authResponseHeaders?: readonly string[];
      readonly headerField?: string;
    };
    for (const header of read?.authResponseHeaders ?? []) names.add(header);
    if (read?.headerField !== undefined && read.headerField !== '') names.add(read.headerField);
  }
  return { kind: 'forwardAuth', options: { authResponseHeaders: [...names], headerField: '' } };
}

function uniteServices(
  name: string,
  found: Definitions<ServiceConfig>,
  diagnostics: Diagnostic[],
): Written<ServiceConfig> {
  const first = oneBroken(found);
  const other = odd(found, optionsOf);
  if (other !== null) {
    const message = conflict(`service ${name}`, [found[0], other], 'routers that use it answer 503');
    diagnostics.push(conflictDiagnostic(message, [found[0], other]));
    return { ...first, errors: [...first.errors, message] };
  }
  const { value } = first;
  if (value.kind !== 'loadBalancer') return first;
  const servers = new Map<string, LoadBalancerConfig['servers'][number]>();
  for (const { written } of found) {
    if (written.value.kind !== 'loadBalancer') continue;
    for (const server of written.value.loadBalancer.servers) {
      const key = `${server.url.origin}${server.url.path}`;
      if (!servers.has(key)) servers.set(key, server);
    }
  }
  return {
    ...first,
    value: { ...value, loadBalancer: { ...value.loadBalancer, servers: [...servers.values()] } },
  };
}

/** The first definition; a broken one before a sound one that reads the same. */
function oneBroken<T>(found: Definitions<T>): Written<T> {
  return (found.find(({ written }) => written.errors.length > 0) ?? found[0]).written;
}

/** The first definition of which `view` differs from the first one's; null: all are equal. */
function odd<T>(found: Definitions<T>, view: (value: T) => unknown): Definition<T> | null {
  const expected = canonicalJson(view(found[0].written.value));
  return found.find(({ written }) => canonicalJson(view(written.value)) !== expected) ?? null;
}

type Pair<T> = readonly [Definition<T>, Definition<T>];

function conflict<T>(what: string, [a, b]: Pair<T>, end: string): string {
  const keys = differingKeys(a.written.value, b.written.value);
  return `${what} is defined by the containers ${a.source} and ${b.source} with different ${keys.join(', ')}: ${end}`;
}

function conflictDiagnostic<T>(message: string, [a, b]: Pair<T>): Diagnostic {
  return {
    severity: 'error',
    code: 'docker.conflict',
    message,
    where: b.written.where,
    hint: 'give both the same labels, or one of them another name',
    related: [a.written.where],
  };
}
