// middlewares of services → the names that run, once the middlewares themselves are resolved.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ServiceSpec } from '../../model/snapshot.ts';
import type { Merged } from './merge.ts';
import { referencesOf, why } from './nested-services.ts';
import type { Middlewares } from './resolve-middlewares.ts';
import type { Services } from './resolve-services.ts';

export interface ServiceMiddlewaresContext {
  readonly merged: Merged;
  readonly middlewares: Middlewares;
  readonly diagnostics: Diagnostic[];
}

/** A service whose middlewares cannot run is broken, and so is every service made of it: none opens what they guard. */
export function withMiddlewares(services: Services, context: ServiceMiddlewaresContext): Services {
  const specs = new Map(services);
  let broke = false;
  for (const spec of services.values()) {
    if (spec.kind === 'internal' || spec.middlewares === undefined) continue;
    const flat = context.middlewares.flatten(spec.middlewares);
    const errors = flat.errors.map(({ message }) => `middlewares: ${message}`);
    broke ||= errors.length > 0;
    specs.set(spec.name, { ...spec, middlewares: flat.names, errors: [...spec.errors, ...errors] });
    const written = context.merged.services.get(spec.name)?.written;
    for (const { message, hint } of flat.errors) {
      context.diagnostics.push({
        severity: 'error',
        code: 'config.middleware',
        message: `service ${spec.name}: middlewares: ${message}`,
        where: written?.keys?.get('middlewares') ?? written?.where ?? { source: 'configuration' },
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
  if (broke) spread(specs);
  return specs;
}

/** Until nothing breaks any more: at most as often as services lie deep in each other. */
function spread(specs: Map<string, ServiceSpec>): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const spec of specs.values()) {
      if (spec.kind === 'internal' || spec.errors.length > 0) continue;
      for (const { key, name } of referencesOf(spec)) {
        const child = specs.get(name);
        if (child === undefined || child.errors.length === 0) continue;
        const error = `${key}: service ${name} is broken: ${why(child)}`;
        specs.set(spec.name, { ...spec, errors: [error] });
        changed = true;
        break;
      }
    }
  }
}
