// Certificates resolvers of the static configuration, as the primary runs them.

import type { DnsChallengeSettings, ResolverSettings } from '../../model/acme.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { EntryPointSpec } from '../../model/entry-point.ts';
import { staticError } from './problem.ts';
import type { StaticConfig } from './schema.ts';

type Resolvers = NonNullable<StaticConfig['certificatesResolvers']>;
type StaticAcme = NonNullable<Resolvers[string]['acme']>;

/** Resolvers at once: each has an account, a storage and connections of its own. */
const maxResolvers = 100;

/** Those that cannot work are left out; why is pushed to `diagnostics`. */
export function resolveAcme(
  config: StaticConfig,
  entryPoints: readonly EntryPointSpec[],
  diagnostics: Diagnostic[],
): ResolverSettings[] {
  const written = Object.entries(config.certificatesResolvers ?? {});
  if (written.length > maxResolvers) {
    const message = `there are ${written.length} certificates resolvers, at most ${maxResolvers} can be`;
    diagnostics.push(staticError('certificatesResolvers', message));
    return [];
  }
  return written.flatMap(([name, { acme }]) => {
    const path = `certificatesResolvers.${name}`;
    if (acme === undefined) {
      diagnostics.push(staticError(path, `the certificates resolver \`${name}\` has no \`acme\``));
      return [];
    }
    const problems = problemsOf(acme, `${path}.acme`, entryPoints);
    diagnostics.push(...problems);
    return problems.length === 0 ? [settingsOf(name, acme)] : [];
  });
}

function problemsOf(acme: StaticAcme, path: string, entryPoints: readonly EntryPointSpec[]): Diagnostic[] {
  return [
    ...storageProblems(acme, path),
    ...authorityProblems(acme, path),
    ...challengeProblems(acme, path, entryPoints),
    ...timeProblems(acme, path),
  ];
}

function storageProblems({ storage }: StaticAcme, path: string): Diagnostic[] {
  if (storage.trim() !== '' && !storage.includes('\0')) return [];
  const message = '`storage` is empty: account and certificates would be lost at every start';
  return [staticError(`${path}.storage`, message, 'name a file, e.g. `/data/acme.json`')];
}

function authorityProblems({ caServer, eab }: StaticAcme, path: string): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const protocol = URL.parse(caServer)?.protocol;
  if (protocol !== 'https:' && protocol !== 'http:') {
    const shown = JSON.stringify(caServer.slice(0, 100));
    const message = `\`caServer\` is ${shown}, expected the URL of an ACME directory`;
    problems.push(staticError(`${path}.caServer`, message));
  }
  if (eab !== undefined) {
    if ((eab.kid ?? '') === '') problems.push(staticError(`${path}.eab.kid`, '`eab` has no `kid`'));
    if (!/^[\w+/-]+={0,2}$/.test(eab.hmacEncoded ?? '')) {
      const what =
        eab.hmacEncoded === undefined || eab.hmacEncoded === '' ? 'is missing' : 'is no base64url text';
      problems.push(staticError(`${path}.eab.hmacEncoded`, `\`hmacEncoded\` of \`eab\` ${what}`));
    }
  }
  return problems;
}

function challengeProblems(
  { httpChallenge, tlsChallenge, dnsChallenge }: StaticAcme,
  path: string,
  entryPoints: readonly EntryPointSpec[],
): Diagnostic[] {
  if (httpChallenge === undefined && tlsChallenge === undefined && dnsChallenge === undefined) {
    const message = 'ACME challenge not specified, please select TLS or HTTP or DNS Challenge';
    const hint =
      'write `tlsChallenge: {}`, `httpChallenge: { entryPoint: web }` or `dnsChallenge: { provider: exec }`';
    return [staticError(path, message, hint)];
  }
  const problems: Diagnostic[] = [];
  if (httpChallenge !== undefined) {
    const names = entryPoints.map(({ name }) => name);
    const { entryPoint = '' } = httpChallenge;
    const hint = `there are: ${names.join(', ')}`;
    const at = `${path}.httpChallenge.entryPoint`;
    if (entryPoint === '') problems.push(staticError(at, '`httpChallenge` has no `entryPoint`', hint));
    else if (!names.includes(entryPoint)) {
      const shown = JSON.stringify(entryPoint.slice(0, 80));
      problems.push(staticError(at, `\`entryPoint\` is ${shown}, expected the name of an entry point`, hint));
    }
  }
  if (dnsChallenge !== undefined) problems.push(...dnsProblems(dnsChallenge, `${path}.dnsChallenge`));
  return problems;
}

function dnsProblems({ provider = '' }: NonNullable<StaticAcme['dnsChallenge']>, path: string): Diagnostic[] {
  if (provider === 'exec') return [];
  const at = `${path}.provider`;
  const hint =
    'write `provider: exec` and let `EXEC_PATH` name a program: it is run with `present` or `cleanup`, the name of the TXT record and its value';
  if (provider === '') return [staticError(at, '`dnsChallenge` has no `provider`', hint)];
  const shown = JSON.stringify(provider.slice(0, 80));
  return [staticError(at, `\`provider\` is ${shown}, the one there is here is \`exec\``, hint)];
}

function timeProblems(acme: StaticAcme, path: string): Diagnostic[] {
  const times = {
    clientTimeout: acme.clientTimeout,
    clientResponseHeaderTimeout: acme.clientResponseHeaderTimeout,
    certificateTimeout: acme.certificateTimeout,
  };
  return Object.entries(times).flatMap(([name, ms]) =>
    ms > 0 ? [] : [staticError(`${path}.${name}`, `\`${name}\` is ${ms / 1000}s, expected more than 0`)],
  );
}

/** Milliseconds: what a timer can wait. */
const longest = 2 ** 31 - 1;

function settingsOf(name: string, acme: StaticAcme): ResolverSettings {
  const { httpChallenge, tlsChallenge, dnsChallenge, eab } = acme;
  return {
    name,
    email: acme.email ?? '',
    caServer: acme.caServer,
    storage: acme.storage,
    keyType: acme.keyType,
    eab: eab === undefined ? null : { kid: eab.kid ?? '', hmac: eab.hmacEncoded ?? '' },
    preferredChain: acme.preferredChain || null,
    profile: acme.profile || null,
    emailAddresses: acme.emailAddresses,
    disableCommonName: acme.disableCommonName,
    clientTimeout: Math.min(acme.clientTimeout, longest),
    clientResponseHeaderTimeout: Math.min(acme.clientResponseHeaderTimeout, longest),
    certificateTimeout: Math.min(acme.certificateTimeout, longest),
    caCertificates: acme.caCertificates,
    caSystemCertPool: acme.caSystemCertPool,
    caServerName: acme.caServerName || null,
    httpChallenge:
      httpChallenge === undefined
        ? null
        : { entryPoint: httpChallenge.entryPoint ?? '', delay: delayOf(httpChallenge.delay) },
    tlsChallenge: tlsChallenge === undefined ? null : { delay: delayOf(tlsChallenge.delay) },
    dnsChallenge: dnsChallenge === undefined ? null : dnsSettings(dnsChallenge),
  };
}

function dnsSettings(dns: NonNullable<StaticAcme['dnsChallenge']>): DnsChallengeSettings {
  const { propagation } = dns;
  return {
    provider: dns.provider ?? '',
    resolvers: dns.resolvers,
    disableChecks: (propagation?.disableChecks ?? false) || dns.disablePropagationCheck,
    delayBeforeChecks: delayOf(propagation?.delayBeforeChecks || dns.delayBeforeCheck),
  };
}

/** Milliseconds: an hour at most, an authority gives an order up before long. */
function delayOf(ms: number): number {
  return Math.min(Math.max(0, ms), 3_600_000);
}
