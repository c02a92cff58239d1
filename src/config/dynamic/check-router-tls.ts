// What routers ask of TLS by name: options and resolvers that have to be there.

import type { RouterSpec } from '../../model/snapshot.ts';
import { defaultTlsOptions, type TlsOptionsSpec } from '../../model/tls.ts';
import { compare } from './merge.ts';
import { inShort } from './resolve-middlewares.ts';
import type { RouterNotes } from './router-notes.ts';

/**
 * A router whose options are missing or broken answers 503; options that are missing are in the result with that
 * error, so that handshakes for its hosts fail, too. `resolvers` null: nobody knows which there are.
 */
export function checkRouterTls(
  routers: readonly RouterSpec[],
  known: readonly TlsOptionsSpec[],
  resolvers: ReadonlySet<string> | null,
  notes: RouterNotes,
): TlsOptionsSpec[] {
  const options = new Map(known.map((one) => [one.name, one]));
  for (const router of routers) {
    if (router.tls === null) continue;
    const { certResolver } = router.tls;
    if (certResolver !== null && certResolver !== '' && resolvers !== null && !resolvers.has(certResolver)) {
      const message = `certificates resolver ${certResolver.slice(0, 80)} doesn't exist: no certificate is ordered`;
      notes.warning(router, 'tls', { code: 'config.unknown_resolver', message, hint: listed(resolvers) });
    }
    const name = router.tls.options ?? 'default';
    const found = options.get(name);
    if (found === undefined) {
      const message = `TLS options ${name} don't exist`;
      const hint = elsewhere(name, known);
      notes.error(router, 'tls', { code: 'config.unknown_tls_options', message, hint });
      options.set(name, { ...defaultTlsOptions, name, errors: [message] });
    } else if (found.errors.length > 0) {
      const message = known.includes(found)
        ? `TLS options ${name} are broken: ${inShort(found.errors)}`
        : (found.errors[0] ?? '');
      const code = known.includes(found) ? 'config.broken_tls_options' : 'config.unknown_tls_options';
      notes.error(router, 'tls', { code, message, hint: elsewhere(name, known) });
    }
  }
  return [...options.values()].sort((a, b) => compare(a.name, b.name));
}

function listed(resolvers: ReadonlySet<string>): string {
  return resolvers.size === 0
    ? 'configure it in the static configuration, under `certificatesResolvers`'
    : `there are: ${[...resolvers].join(', ')}`;
}

function elsewhere(name: string, known: readonly TlsOptionsSpec[]): string | undefined {
  const short = name.split('@', 1)[0];
  const other = known.find((one) => one.name !== name && one.name.split('@', 1)[0] === short);
  return other === undefined ? undefined : `write ${other.name}`;
}
