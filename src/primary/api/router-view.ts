// A router as Traefik's API shows it.

import type { RouterSpec } from '../../model/snapshot.ts';
import { errorsOf, statusOf, type Listed } from './list.ts';

export function routerView(router: RouterSpec): Listed {
  const { tls } = router;
  return {
    entryPoints: router.entryPoints,
    ...(router.middlewares.length === 0 ? {} : { middlewares: router.middlewares }),
    service: unqualified(router.service, router.provider),
    rule: router.rule,
    ...(router.ruleSyntax === 'v3' ? {} : { ruleSyntax: router.ruleSyntax }),
    // JavaScript readers lose the last digits of a Go int64: the text beside it is exact.
    priority: Number(router.priority),
    priorityStr: String(router.priority),
    ...(tls === null
      ? {}
      : {
          tls: {
            options: unqualified(tls.options ?? 'default', router.provider),
            ...(tls.certResolver === null ? {} : { certResolver: tls.certResolver }),
            ...(tls.domains === undefined ? {} : { domains: tls.domains }),
          },
        }),
    observability: {
      accessLogs: router.accessLogs,
      metrics: router.metrics !== false,
      tracing: router.tracing !== false,
      traceVerbosity: router.traceVerbosity ?? 'minimal',
    },
    status: statusOf(router.errors, router.warnings),
    ...errorsOf([...router.errors, ...router.warnings]),
    using: router.entryPoints,
    name: router.name,
    provider: router.provider,
  };
}

/** Traefik shows a service, and TLS options, as they were written: mostly without its own provider's name, but for its own objects. */
function unqualified(name: string, provider: string): string {
  const isPlain = provider !== 'internal' && name.endsWith(`@${provider}`);
  return isPlain ? name.slice(0, -provider.length - 1) : name;
}
