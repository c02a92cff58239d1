// A middleware as Traefik's API shows it, without its secrets.

import { middlewareMarks } from '../../config/secrets.ts';
import type { MiddlewareSpec } from '../../model/snapshot.ts';
import { errorsOf, statusOf, type Listed } from './list.ts';
import { redact } from './redact.ts';

export function middlewareView(middleware: MiddlewareSpec, usedBy: readonly string[]): Listed {
  const { kind, options, errors } = middleware;
  return {
    [kind]: redact(options ?? {}, middlewareMarks(kind)),
    status: statusOf(errors, []),
    ...errorsOf(errors),
    ...(usedBy.length === 0 ? {} : { usedBy }),
    name: middleware.name,
    provider: middleware.provider,
    type: typeOf(kind, options).toLowerCase(),
  };
}

/** Plugins go by the name of the plugin. */
function typeOf(kind: string, options: unknown): string {
  if (kind !== 'plugin' || typeof options !== 'object' || options === null) return kind;
  return Object.keys(options)[0] ?? kind;
}
