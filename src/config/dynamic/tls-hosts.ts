// TLS options by host: a handshake knows no router, only the name that the client asks for.

import { checkRule } from '../../rules/check.ts';
import type { RouterSpec } from '../../model/snapshot.ts';
import type { ListenerSpec, TlsOptionsSpec } from '../../model/tls.ts';
import { canonicalJson } from '../../util/content-hash.ts';
import { compare } from './merge.ts';
import type { RouterNotes } from './router-notes.ts';
import { demandsCertificate } from './tls-options-spec.ts';

export type OptionsByName = ReadonlyMap<string, TlsOptionsSpec>;

/** Options that say the same → the name all of them go by; `default` before any other. */
export function canonicalNames(options: OptionsByName): ReadonlyMap<string, string> {
  const byContent = new Map<string, string>();
  const sorted = [...options.values()].sort(
    (a, b) => Number(b.name === 'default') - Number(a.name === 'default') || compare(a.name, b.name),
  );
  return new Map(
    sorted.map(({ name, ...content }) => {
      const key = canonicalJson(content);
      const canonical = byContent.get(key) ?? name;
      byContent.set(key, canonical);
      return [name, canonical];
    }),
  );
}

/**
 * Of the TLS routers of one entry point: every host whose options are others than `default`. Where they cannot be
 * told by the host, the default ones apply; a router whose options demand a client's certificate answers 503 then.
 */
export function hostOptions(
  routers: readonly RouterSpec[],
  options: OptionsByName,
  names: ReadonlyMap<string, string>,
  notes: RouterNotes,
): ListenerSpec['hosts'] {
  const byHost = new Map<string, Map<string, RouterSpec>>();
  const asked: [RouterSpec, string, readonly string[]][] = [];
  for (const router of routers) {
    const checked = checkRule(router.rule, router.ruleSyntax);
    if (!checked.ok || router.tls === null) continue;
    const name = names.get(router.tls.options ?? 'default') ?? 'default';
    for (const host of checked.hosts) {
      const wanted = byHost.get(host) ?? new Map<string, RouterSpec>();
      if (!wanted.has(name)) wanted.set(name, router);
      byHost.set(host, wanted);
    }
    if (name === 'default') continue;
    asked.push([router, name, checked.hosts]);
    if (!checked.isHostBound) notApplied(router, unbound(checked.hosts), options, notes);
  }
  for (const [router, name, hosts] of asked) {
    for (const host of hosts) {
      const other = [...(byHost.get(host) ?? [])].find(([otherName]) => otherName !== name)?.[1];
      if (other === undefined) continue;
      const why = `router ${other.name} asks for others for the host ${host.slice(0, 80)}, which gets the default ones`;
      notApplied(router, why, options, notes);
      break;
    }
  }
  return [...byHost]
    .flatMap(([host, wanted]) => {
      const [only = 'default'] = wanted.keys();
      return wanted.size > 1 || only === 'default' ? [] : [{ host, options: only }];
    })
    .sort((a, b) => compare(a.host, b.host));
}

function unbound(hosts: readonly string[]): string {
  return hosts.length === 0
    ? 'its rule names no Host, and a handshake knows nothing else'
    : 'its rule matches hosts that it does not name, too';
}

function notApplied(router: RouterSpec, why: string, options: OptionsByName, notes: RouterNotes): void {
  const name = router.tls?.options ?? 'default';
  const own = options.get(name);
  const byDefault = options.get('default');
  const message = `the TLS options ${name} cannot be applied: ${why}`;
  const hint = 'give all routers of a host the same options, or write them as the options `default`';
  const opens =
    own !== undefined &&
    demandsCertificate(own) &&
    !(byDefault !== undefined && demandsCertificate(byDefault));
  if (opens) notes.error(router, 'tls', { code: 'config.tls_options', message, hint });
  else notes.warning(router, 'tls', { code: 'config.tls_options', message, hint });
}
