// `tls` of all files → certificates, default certificate and options.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { type CertificateSpec, defaultTlsOptions, type TlsSpec } from '../../model/tls.ts';
import { readCertificate } from '../../tls/certificate.ts';
import { compare } from './merge.ts';
import type { CertificateConfig, StoreConfig } from './schema.ts';
import type { ProviderConfig, Written } from './provider-config.ts';

export function resolveTls(
  sources: readonly ProviderConfig[],
  diagnostics: Diagnostic[],
): Omit<TlsSpec, 'listeners'> {
  const certificates = new Map<string, CertificateSpec>();
  let defaultCertificate: CertificateSpec | null = null;
  for (const { tls } of sources.flatMap(({ parts }) => parts)) {
    for (const written of tls.certificates) {
      const certificate = certificateOf(written, written.value, diagnostics);
      if (certificate !== null) certificates.set(certificate.fingerprint, certificate);
    }
    const store: Written<StoreConfig> | undefined = tls.stores.get('default');
    if (store?.value.defaultCertificate !== undefined)
      defaultCertificate = certificateOf(store, store.value.defaultCertificate, diagnostics);
  }
  return {
    certificates: [...certificates.values()].sort((a, b) => compare(a.fingerprint, b.fingerprint)),
    defaultCertificate,
    options: [defaultTlsOptions],
  };
}

function certificateOf(
  { where }: Written<unknown>,
  { certFile = '', keyFile = '' }: Pick<CertificateConfig, 'certFile' | 'keyFile'>,
  diagnostics: Diagnostic[],
): CertificateSpec | null {
  const read = readCertificate(certFile, keyFile);
  if (read.ok) return read.certificate;
  diagnostics.push({ severity: 'error', code: 'config.certificate', message: read.problem, where });
  return null;
}
