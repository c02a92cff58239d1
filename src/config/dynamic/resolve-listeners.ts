// How each entry point listens: what its routers want of the port decides side and engine.

import { checkRule } from '../../rules/check.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Engine, EntryPointSpec } from '../../model/entry-point.ts';
import type { RouterSpec, ServiceSpec } from '../../model/snapshot.ts';
import type { CertificateSpec, ListenerSpec } from '../../model/tls.ts';
import { leadsToH2c } from './leads-to-h2c.ts';
import { compare } from './merge.ts';
import type { RouterNotes } from './router-notes.ts';
import { canonicalNames, hostOptions, type OptionsByName } from './tls-hosts.ts';
import { beyondUws } from './tls-options-spec.ts';
import { unreached } from './unreached.ts';

export interface ListenerContext {
  readonly entryPoints: readonly EntryPointSpec[];
  /** Names of the routers that are where they are because they name no entry point. */
  readonly implicit: ReadonlySet<string>;
  readonly services: ReadonlyMap<string, ServiceSpec>;
  readonly options: OptionsByName;
  /** Options that ask for HTTP/2 by name. */
  readonly asksHttp2: ReadonlySet<string>;
  /** Resolvers that answer challenges within handshakes. */
  readonly tlsChallengers: ReadonlySet<string>;
  /** All there are, the default one among them. */
  readonly certificates: readonly CertificateSpec[];
  readonly notes: RouterNotes;
  readonly diagnostics: Diagnostic[];
}

type Side = ListenerSpec['side'];

/** Sorted by the entry point's name. */
export function resolveListeners(routers: readonly RouterSpec[], context: ListenerContext): ListenerSpec[] {
  const names = canonicalNames(context.options);
  const standing = routers.filter(({ rule, ruleSyntax }) => rule !== '' && checkRule(rule, ruleSyntax).ok);
  const listeners = context.entryPoints
    .map((entryPoint) => {
      const own = standing.filter(({ entryPoints }) => entryPoints.includes(entryPoint.name));
      return listenerOf(entryPoint, own, names, context);
    })
    .sort((a, b) => compare(a.entryPoint, b.entryPoint));
  context.diagnostics.push(...unreached(listeners, standing));
  return listeners;
}

function listenerOf(
  entryPoint: EntryPointSpec,
  own: readonly RouterSpec[],
  names: ReadonlyMap<string, string>,
  context: ListenerContext,
): ListenerSpec {
  const { name } = entryPoint;
  const wanted = entryPoint.engine === 'node' ? 'both' : wantedSide(entryPoint, own, context);
  const overTls = wanted === 'cleartext' ? [] : own.filter(({ tls }) => tls !== null);
  const hosts = hostOptions(overTls, context.options, names, context.notes);
  const place: Place = { entryPoint, overTls, hosts, context };
  if (wanted === 'both' && entryPoint.engine === 'uws') {
    refuseBeyond(place);
    tellCertificates(place);
    return { entryPoint: name, engine: 'uws', side: 'tls', hosts: [] };
  }
  const engine = chooseEngine(place, wanted);
  if (engine === 'uws' && wanted !== 'cleartext') tellHttp2(place);
  return { entryPoint: name, engine, side: wanted, hosts: engine === 'uws' ? [] : hosts };
}

interface Place {
  readonly entryPoint: EntryPointSpec;
  readonly overTls: readonly RouterSpec[];
  readonly hosts: ListenerSpec['hosts'];
  readonly context: ListenerContext;
}

/** Routers that are here by name decide; those that are everywhere by default only where there is no other. */
function wantedSide({ http }: EntryPointSpec, own: readonly RouterSpec[], context: ListenerContext): Side {
  const explicit = own.filter(({ name }) => !context.implicit.has(name));
  const deciding = explicit.length > 0 || http.tls !== null ? explicit : own;
  const tls = http.tls !== null || deciding.some((router) => router.tls !== null);
  const cleartext = deciding.some((router) => router.tls === null);
  return tls && cleartext ? 'both' : tls ? 'tls' : 'cleartext';
}

function chooseEngine(place: Place, side: Side): Engine {
  const { entryPoint, context } = place;
  if (entryPoint.engine === 'node') return 'node';
  if (entryPoint.engine === 'uws') {
    refuseBeyond(place);
    if (side !== 'cleartext') tellCertificates(place);
    return 'uws';
  }
  const needs = side === 'both' ? ['TLS and cleartext on one port'] : nodeNeeds(place, side);
  if (needs.length === 0) return 'uws';
  context.diagnostics.push({
    severity: 'info',
    code: 'config.engine',
    message: `entry point ${entryPoint.name} is served by the node engine, which ${needs.join(', ')} needs`,
    where: { source: 'static configuration', path: `entryPoints.${entryPoint.name}` },
    hint: 'it costs several times the CPU time of the uws engine; write `engine: uws` to do without',
  });
  return 'node';
}

/** What the uws engine lacks of all that TLS routers here ask for, in words. */
function nodeNeeds({ overTls, hosts, context }: Place, side: Side): string[] {
  if (side === 'cleartext') return [];
  const needs = new Set<string>();
  const used = new Set(['default', ...overTls.map(({ tls }) => tls?.options ?? 'default')]);
  for (const name of [...used].sort(compare)) {
    const options = context.options.get(name);
    if (options === undefined) continue;
    for (const key of beyondUws(options)) needs.add(`\`${key}\` of the TLS options ${name}`);
    if (context.asksHttp2.has(name)) needs.add(`\`h2\` of the TLS options ${name}`);
  }
  if (hosts.length > 0 && needs.size === 0) needs.add('TLS options of single hosts');
  const resolver = overTls.find(({ tls }) => context.tlsChallengers.has(tls?.certResolver ?? ''))?.tls;
  const odd = context.certificates.find(({ beyondUws }) => beyondUws !== undefined);
  if (odd !== undefined) needs.add(`${odd.beyondUws} of the certificate for ${odd.names[0]}`);
  if (resolver !== undefined) needs.add(`\`tlsChallenge\` of the resolver ${resolver?.certResolver ?? ''}`);
  return [...needs];
}

/** On an engine that was asked for by name: what it cannot do is not done in another way, but not at all. */
function refuseBeyond({ entryPoint, overTls, hosts, context }: Place): void {
  const hint = `write \`engine: node\` for the entry point ${entryPoint.name}, or leave \`engine\` out`;
  const apart = new Set(hosts.map(({ options }) => options));
  const names = canonicalNames(context.options);
  for (const router of overTls) {
    const name = router.tls?.options ?? 'default';
    const options = context.options.get(name);
    if (options === undefined || options.errors.length > 0) continue;
    const beyond = beyondUws(options);
    const what = beyond.length > 0 ? `\`${beyond.join('`, `')}\` of the TLS options ${name}` : null;
    const isApart = apart.has(names.get(name) ?? name);
    if (what !== null || isApart) {
      const message = `the uws engine of the entry point ${entryPoint.name} cannot serve ${what ?? `TLS options for single hosts, such as ${name}`}`;
      context.notes.error(router, 'tls', { code: 'config.engine', message, hint });
    } else if (context.tlsChallengers.has(router.tls?.certResolver ?? '')) {
      const message = `the uws engine of the entry point ${entryPoint.name} cannot answer the \`tlsChallenge\` of ${router.tls?.certResolver ?? ''}`;
      context.notes.warning(router, 'tls', { code: 'config.engine', message, hint });
    }
  }
}

/** The first of them, so that a thousand make no thousand lines. */
function tellCertificates({ entryPoint: { name }, context }: Place): void {
  const odd = context.certificates.find(({ beyondUws }) => beyondUws !== undefined);
  if (odd === undefined) return;
  context.diagnostics.push({
    severity: 'error',
    code: 'config.engine',
    message: `the uws engine of the entry point ${name} cannot use ${odd.beyondUws} of the certificate for ${odd.names[0]}: clients that ask for it are shown another one`,
    where: { source: 'static configuration', path: `entryPoints.${name}` },
    hint: 'write `engine: node` for it, or have a certificate with an ECDSA or RSA key',
  });
}

function tellHttp2({ entryPoint, overTls, context }: Place): void {
  for (const router of overTls) {
    if (!leadsToH2c(router.service, context.services)) continue;
    context.notes.warning(router, 'service', {
      code: 'config.no_http2',
      message: `its servers speak HTTP/2, and the entry point ${entryPoint.name} speaks HTTP/1.1 over TLS: gRPC clients cannot use it`,
      hint: 'write `http2: {}` or `engine: node` for the entry point',
    });
  }
}
