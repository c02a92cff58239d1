// `tls` of all providers → certificates, the default one, and options by their qualified names.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { CertificateRequest } from '../../model/acme.ts';
import type { CertificateSpec, TlsOptionsSpec, TlsSpec } from '../../model/tls.ts';
import { defaultTlsOptions } from '../../model/tls.ts';
import { normalNames } from './certificate-requests.ts';
import { compare, comparePaths, duplicate } from './merge.ts';
import type { ProviderConfig, TlsConfig, Written } from './provider-config.ts';
import { readPair } from './read-pair.ts';
import type { StoreConfig } from './schema.ts';
import { tlsOptionsSpec } from './tls-options-spec.ts';

export interface ResolvedTls {
  readonly spec: Omit<TlsSpec, 'listeners'>;
  /** Names of the options that ask for HTTP/2 by name. */
  readonly asksHttp2: ReadonlySet<string>;
  /** For the default store; null: none. */
  readonly request: CertificateRequest | null;
}

interface Part {
  readonly provider: string;
  readonly source: string;
  readonly tls: TlsConfig;
}

/** `resolvers`: those there are; null: nobody knows. */
export function resolveTls(
  sources: readonly ProviderConfig[],
  resolvers: ReadonlySet<string> | null,
  diagnostics: Diagnostic[],
): ResolvedTls {
  const parts = sources
    .flatMap(({ provider, parts: own }) => own.map(({ source, tls }) => ({ provider, source, tls })))
    .sort((a, b) => compare(a.provider, b.provider) || comparePaths(a.source, b.source));
  const { options, asksHttp2 } = resolveOptions(parts, diagnostics);
  const store = onlyStore(parts, diagnostics);
  const own = store?.value.defaultCertificate;
  const defaultCertificate =
    store === null || own === undefined ? null : certificateOf(store, own, diagnostics);
  const request =
    store === null || own !== undefined ? null : generatedRequest(store, resolvers, diagnostics);
  const spec = {
    certificates: resolveCertificates(parts, diagnostics),
    defaultCertificate,
    ...(request === null ? {} : { defaultNames: request.names }),
    options,
  };
  return { spec, asksHttp2, request };
}

function resolveCertificates(parts: readonly Part[], diagnostics: Diagnostic[]): CertificateSpec[] {
  const found = new Map<string, CertificateSpec>();
  for (const { tls } of parts) {
    for (const written of tls.certificates) {
      const certificate = certificateOf(written, written.value, diagnostics);
      if (certificate !== null && !found.has(certificate.fingerprint))
        found.set(certificate.fingerprint, certificate);
    }
  }
  return [...found.values()].sort((a, b) => compare(a.fingerprint, b.fingerprint));
}

interface WrittenPair {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

function certificateOf(
  { where }: Written<unknown>,
  { certFile = '', keyFile = '' }: WrittenPair,
  diagnostics: Diagnostic[],
): CertificateSpec | null {
  const read = readPair(certFile, keyFile);
  if (read.ok) return read.certificate;
  diagnostics.push({ severity: 'error', code: 'config.certificate', message: read.problem, where });
  return null;
}

/** Null: there is none, or nobody knows which one is meant. */
function onlyStore(parts: readonly Part[], diagnostics: Diagnostic[]): Written<StoreConfig> | null {
  const found = parts.flatMap(({ provider, tls }) => {
    const written = tls.stores.get('default');
    return written === undefined ? [] : [{ provider, written }];
  });
  const [first] = found;
  if (first === undefined) return null;
  for (const { provider, written } of found.slice(1)) {
    if (provider === first.provider) diagnostics.push(duplicate('TLS store default', first.written, written));
  }
  const other = found.find(({ provider }) => provider !== first.provider);
  if (other === undefined) return first.written;
  diagnostics.push({
    severity: 'error',
    code: 'config.conflict',
    message: `the TLS store default is defined by the providers ${first.provider} and ${other.provider}: neither is used`,
    where: other.written.where,
    related: [first.written.where],
  });
  return null;
}

function generatedRequest(
  { value, where }: Written<StoreConfig>,
  resolvers: ReadonlySet<string> | null,
  diagnostics: Diagnostic[],
): CertificateRequest | null {
  const { resolver = '', domain } = value.defaultGeneratedCert ?? {};
  if (resolver === '' || domain === undefined) return null;
  if (resolvers !== null && !resolvers.has(resolver)) {
    const message = `certificates resolver ${resolver.slice(0, 80)} of the TLS store default doesn't exist`;
    diagnostics.push({ severity: 'error', code: 'config.unknown_resolver', message, where });
    return null;
  }
  const names = normalNames([domain.main ?? '', ...(domain.sans ?? [])]);
  return names.length === 0 ? null : { resolver, names, by: ['stores.default'] };
}

function resolveOptions(
  parts: readonly Part[],
  diagnostics: Diagnostic[],
): { options: TlsOptionsSpec[]; asksHttp2: Set<string> } {
  const found = new Map<string, { provider: string; written: Written<unknown>; spec: TlsOptionsSpec }>();
  const asksHttp2 = new Set<string>();
  for (const { provider, tls } of parts) {
    for (const [short, written] of tls.options) {
      const name = short === 'default' ? short : `${short}@${provider}`;
      const before = found.get(name);
      if (before === undefined) {
        found.set(name, { provider, written, spec: tlsOptionsSpec(name, written) });
        if (written.value.alpnProtocols?.includes('h2') === true) asksHttp2.add(name);
      } else if (before.provider === provider) {
        diagnostics.push(duplicate(`TLS options ${name}`, before.written, written));
      } else {
        // Which one is meant nobody knows, and one of them may demand what the other does not.
        const message = `the TLS options default are defined by the providers ${before.provider} and ${provider}: routers that use them answer 503`;
        diagnostics.push({ severity: 'error', code: 'config.conflict', message, where: written.where });
        found.set(name, { ...before, spec: { ...before.spec, errors: [...before.spec.errors, message] } });
      }
    }
  }
  const specs = [...found.values()].map(({ spec }) => spec);
  const options = found.has('default') ? specs : [...specs, defaultTlsOptions];
  return { options: options.sort((a, b) => compare(a.name, b.name)), asksHttp2 };
}
