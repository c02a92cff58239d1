// Everything that was written → the Snapshot. Pure: no files, no clock, no sockets; the same input gives the
// same hash, whatever the order it came in.

import type { CertificateRequest, ResolverSettings } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { RuleSyntax, Snapshot, TransportSpec } from '../../model/snapshot.ts';
import { noTls } from '../../model/tls.ts';
import { keepIdentity, sameData } from '../../util/same-data.ts';
import { certificateRequests, unitedRequests } from './certificate-requests.ts';
import { checkRouterTls } from './check-router-tls.ts';
import { hashOf } from './hash.ts';
import { duplicateRules } from './lint.ts';
import { certificatesNowhere } from './lint-certificates.ts';
import { compare, merge } from './merge.ts';
import type { ProviderConfig } from './provider-config.ts';
import { resolveMiddlewares } from './resolve-middlewares.ts';
import { resolveRouters } from './resolve-routers.ts';
import { createRouterNotes } from './router-notes.ts';
import { withMiddlewares } from './resolve-service-middlewares.ts';
import { resolveServices } from './resolve-services.ts';
import { resolveListeners } from './resolve-listeners.ts';
import { resolveTls } from './resolve-tls.ts';
import { resolveTransports } from './resolve-transports.ts';
import { createSuggest } from './suggest.ts';

export interface ResolveInput {
  /** The internal provider is one of them (`providers/internal`). */
  readonly sources: readonly ProviderConfig[];
  readonly entryPoints: readonly EntryPointSpec[];
  readonly defaults: {
    readonly ruleSyntax: RuleSyntax;
    /** The static `serversTransport`, under the name `default@internal`. */
    readonly serversTransport: TransportSpec;
  };
  /** Absent: which there are is not known, and none is missed. */
  readonly resolvers?: readonly Pick<ResolverSettings, 'name' | 'tlsChallenge'>[];
  /** What was resolved before: its objects stand in the result where nothing of them has changed. */
  readonly known?: Omit<Snapshot, 'version'> | null;
}

export interface Resolved {
  readonly snapshot: Omit<Snapshot, 'version'>;
  /** Certificates that routers and the default store want to have ordered, sorted. */
  readonly certificateRequests: readonly CertificateRequest[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Fails closed: a router that cannot do its work stays in the Snapshot, with the reasons in `errors`. */
export function resolve(input: ResolveInput): Resolved {
  const { merged, diagnostics } = merge(input.sources);
  const transports = resolveTransports(merged, input.defaults.serversTransport);
  const suggest = createSuggest();
  const bare = resolveServices(merged, { transports, suggest, diagnostics });
  const middlewares = resolveMiddlewares(merged, { services: bare, suggest, diagnostics });
  const services = withMiddlewares(bare, { merged, middlewares, diagnostics });
  const implicit = new Set<string>();
  const bareRouters = resolveRouters({
    ...input,
    merged,
    suggest,
    middlewares,
    services,
    diagnostics,
    implicit,
  });
  diagnostics.push(...duplicateRules(bareRouters, merged));

  const resolvers = input.resolvers === undefined ? null : new Set(input.resolvers.map(({ name }) => name));
  const { spec, asksHttp2, request } = resolveTls(input.sources, resolvers, diagnostics);
  const notes = createRouterNotes(merged, diagnostics);
  const options = checkRouterTls(bareRouters, spec.options, resolvers, notes);
  const listeners = resolveListeners(bareRouters, {
    entryPoints: input.entryPoints,
    options: new Map(options.map((one) => [one.name, one])),
    tlsChallengers: tlsChallengers(input.resolvers),
    certificates: [
      ...spec.certificates,
      ...(spec.defaultCertificate === null ? [] : [spec.defaultCertificate]),
    ],
    implicit,
    services,
    asksHttp2,
    notes,
    diagnostics,
  });
  const tls = { ...spec, options, listeners };
  const routers = notes.apply(bareRouters);
  const wanted = certificateRequests(routers, resolvers, merged, diagnostics);

  diagnostics.push(...certificatesNowhere(routers, middlewares.specs, tls.listeners, merged));

  const known = input.known ?? nothing;
  const content = {
    routers: keepIdentity([...routers].sort(byName), known.routers),
    middlewares: keepIdentity([...middlewares.specs.values()].sort(byName), known.middlewares),
    services: keepIdentity([...services.values()].sort(byName), known.services),
    transports: keepIdentity([...transports.values()].sort(byName), known.transports),
    tls: sameData(known.tls, tls) ? known.tls : tls,
  };
  return {
    snapshot: { hash: hashOf(content), ...content },
    certificateRequests: unitedRequests(request === null ? wanted : [...wanted, request]),
    diagnostics: withoutRepeats(diagnostics),
  };
}

function tlsChallengers(resolvers: ResolveInput['resolvers'] = []): ReadonlySet<string> {
  return new Set(resolvers.flatMap(({ name, tlsChallenge }) => (tlsChallenge === null ? [] : [name])));
}

const nothing = { routers: [], middlewares: [], services: [], transports: [], tls: noTls };

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compare(a.name, b.name);
}

/** Copies of one router, made for its entry points, say the same thing. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { source, line, column } = diagnostic.where;
    const key = JSON.stringify([diagnostic.code, diagnostic.message, source, line, column]);
    if (!seen.has(key)) seen.set(key, diagnostic);
  }
  return [...seen.values()];
}
