// Services made of other services: what they name, that it exists, and that nothing contains itself.

import type { ServiceSpec } from '../../model/snapshot.ts';
import { findMiddleware } from '../../proxy/middlewares/catalogue.ts';
import type { Merged } from './merge.ts';
import { qualify } from './merge.ts';
import { inShort } from './resolve-middlewares.ts';
import type { ServiceContext } from './resolve-services.ts';

/** Services in services: more is a mistake, and each level costs every request a call. */
export const maxServiceDepth = 16;
/** Levels that are looked at before the search gives up: keeps a hostile chain from exhausting the stack. */
const maxSearchDepth = 1000;

/** A service that another one names, and where in it. */
interface Reference {
  readonly key: string;
  readonly name: string;
  /** Only what its own health check tells can be known of it. */
  readonly mustTellHealth: boolean;
}

export function referencesOf(spec: ServiceSpec): readonly Reference[] {
  switch (spec.kind) {
    case 'weighted':
    case 'highestRandomWeight':
      return spec.children.map(({ name }, i) => ({
        key: `${spec.kind}.services[${i}].name`,
        name,
        mustTellHealth: spec.followsHealth,
      }));
    case 'mirroring':
      return [
        { key: 'mirroring.service', name: spec.service, mustTellHealth: spec.followsHealth },
        ...spec.mirrors.map(({ name }, i) => ({
          key: `mirroring.mirrors[${i}].name`,
          name,
          mustTellHealth: false,
        })),
      ];
    case 'failover': {
      // Without statuses, only the first service's health makes it give way.
      const byHealth = spec.followsHealth || spec.onErrors === null;
      return [
        { key: 'failover.service', name: spec.service, mustTellHealth: byHealth },
        { key: 'failover.fallback', name: spec.fallback, mustTellHealth: spec.followsHealth },
      ];
    }
    default:
      return [];
  }
}

/** Adds to the `errors` of each, and to the diagnostics. */
export function nestServices(
  specs: ReadonlyMap<string, ServiceSpec>,
  merged: Merged,
  context: ServiceContext,
): void {
  const nesting = new Nesting(specs, merged, context);
  for (const spec of specs.values()) {
    if (spec.kind !== 'loadBalancer' || spec.middlewares !== undefined) nesting.depthOf(spec, []);
  }
}

class Nesting {
  readonly #specs: ReadonlyMap<string, ServiceSpec>;
  readonly #merged: Merged;
  readonly #context: ServiceContext;
  /** Levels of those that are seen to; as many as there are services. */
  readonly #depths = new Map<string, number>();

  constructor(specs: ReadonlyMap<string, ServiceSpec>, merged: Merged, context: ServiceContext) {
    this.#specs = specs;
    this.#merged = merged;
    this.#context = context;
  }

  /** 1 for a service that contains none. `above`: those it is looked at for, the outermost first. */
  depthOf(spec: ServiceSpec, above: readonly string[]): number {
    const known = this.#depths.get(spec.name);
    if (known !== undefined) return known;
    const path = [...above, spec.name];
    let depth = 1;
    for (const reference of referencesOf(spec)) {
      depth = Math.max(depth, 1 + this.#check(spec, reference, path));
    }
    // What a middleware of it asks may come back to it, too; whether that exists, the middleware says.
    for (const name of askedBy(spec, this.#merged)) {
      const asked = this.#specs.get(name);
      if (asked === undefined) continue;
      if (path.includes(name)) this.#recursion(spec, 'middlewares', [...path, name]);
      else if (path.length < maxSearchDepth) this.depthOf(asked, path);
    }
    if (depth > maxServiceDepth) {
      const message = `services lie ${depth > maxSearchDepth ? 'far more than' : `${depth} deep in each other, expected at most`} ${maxServiceDepth}`;
      this.#refuse(spec, { code: 'config.service_depth', key: spec.kind, message });
    }
    this.#depths.set(spec.name, depth);
    return depth;
  }

  #check(spec: ServiceSpec, { key, name, mustTellHealth }: Reference, path: readonly string[]): number {
    const child = this.#specs.get(name);
    if (child === undefined) {
      const message = `service ${name} doesn't exist`;
      this.#refuse(spec, {
        code: 'config.unknown_service',
        key,
        message,
        ...this.#context.suggest(name, this.#specs),
      });
      return 0;
    }
    if (path.includes(name)) {
      this.#recursion(spec, key, [...path, name]);
      return 0;
    }
    if (path.length >= maxSearchDepth) return maxSearchDepth;
    const depth = this.depthOf(child, path);
    if (child.errors.length > 0) {
      const message = `service ${name} is broken: ${why(child)}`;
      this.#refuse(spec, { code: 'config.broken_service', key, message });
    } else if (mustTellHealth && !tellsHealth(child)) {
      const message = `healthCheck is not enabled in service ${name}, which this one needs to know its health`;
      const hint = 'give it a healthCheck of its own; `healthCheck: {}` where it is made of other services';
      this.#refuse(spec, { code: 'config.health_check', key, message, hint });
    }
    return depth;
  }

  #recursion(spec: ServiceSpec, key: string, path: readonly string[]): void {
    const cycle = path.slice(path.indexOf(path.at(-1) as string));
    const shown = cycle.length > 10 ? [...cycle.slice(0, 9), '…', ...cycle.slice(-1)] : cycle;
    const message = `service recursion detected in ${shown.join('->')}`;
    this.#refuse(spec, { code: 'config.service_recursion', key, message });
  }

  #refuse(spec: ServiceSpec, found: Refusal): void {
    const { code, key, message, hint } = found;
    const text = `${key}: ${message}`;
    (spec.errors as string[]).push(text);
    const written = this.#merged.services.get(spec.name)?.written;
    const root = key.split('.')[0] as string;
    this.#context.diagnostics.push({
      severity: 'error',
      code,
      message: `service ${spec.name}: ${text}`,
      where: written?.keys?.get(root.toLowerCase()) ?? written?.where ?? { source: 'configuration' },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

interface Refusal {
  readonly code: string;
  readonly key: string;
  readonly message: string;
  readonly hint?: string;
}

/** Cut: each level above would repeat it all. */
export function why(broken: ServiceSpec): string {
  const text = inShort(broken.errors);
  return text.length > maxReason ? `${text.slice(0, maxReason)}…` : text;
}

const maxReason = 300;

function tellsHealth(spec: ServiceSpec): boolean {
  if (spec.kind === 'internal') return false;
  if (spec.kind === 'loadBalancer') return spec.healthCheck !== null || spec.passiveHealthCheck !== undefined;
  return spec.followsHealth;
}

/** Services that the middlewares of a service ask, through chains as well. */
function askedBy(spec: ServiceSpec, merged: Merged): ReadonlySet<string> {
  const asked = new Set<string>();
  if (spec.kind === 'internal' || spec.middlewares === undefined) return asked;
  const seen = new Set<string>(spec.middlewares);
  for (const name of seen) {
    const entry = merged.middlewares.get(name);
    if (entry === undefined || entry.written.errors.length > 0) continue;
    const { kind, options } = entry.written.value;
    for (const service of findMiddleware(kind)?.services?.(options) ?? [])
      asked.add(qualify(service, entry.provider));
    if (kind !== 'chain') continue;
    const { middlewares = [] } = options as { readonly middlewares?: readonly string[] };
    for (const next of middlewares) seen.add(qualify(next, entry.provider));
  }
  return asked;
}
