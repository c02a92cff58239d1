// passTLSClientCert where no client certificate can come from.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MiddlewareSpec, RouterSpec } from '../../model/snapshot.ts';
import type { ListenerSpec } from '../../model/tls.ts';
import type { Merged } from './merge.ts';

/** One warning for each such middleware that only runs on entry points whose engine has none to give. */
export function certificatesNowhere(
  routers: readonly RouterSpec[],
  specs: ReadonlyMap<string, MiddlewareSpec>,
  listeners: readonly ListenerSpec[],
  merged: Merged,
): Diagnostic[] {
  const blind = new Set(
    listeners.filter(({ engine }) => engine === 'uws').map(({ entryPoint }) => entryPoint),
  );
  const found: Diagnostic[] = [];
  for (const { name, kind } of specs.values()) {
    const where = merged.middlewares.get(name)?.written.where;
    if (kind !== 'passTLSClientCert' || where === undefined) continue;
    const used = routers.filter(({ middlewares }) => middlewares.includes(name));
    const isBlind = used.every((router) => router.entryPoints.every((entryPoint) => blind.has(entryPoint)));
    if (used.length === 0 || !isBlind) continue;
    found.push({
      severity: 'warning',
      code: 'config.no_effect',
      message: `middleware ${name} finds no certificate: the uws engine of its entry points asks clients for none`,
      where,
      hint: 'servers get no X-Forwarded-Tls-Client-Cert headers, those of clients are removed',
    });
  }
  return found;
}
