// Certificates as the API shows them: what is in them for everybody to see, never the key and no PEM text.

import { X509Certificate } from 'node:crypto';
import type { Snapshot } from '../../model/snapshot.ts';
import type { CertificateSpec } from '../../model/tls.ts';

/** `file`: of the configuration; `acme`: obtained; `default`: what names without a certificate get. */
export type CertificateSource = 'file' | 'acme' | 'default';

export interface CertificateFact {
  readonly certificate: CertificateSpec;
  readonly source: CertificateSource;
}

/** Those of the configuration, the default one first; `obtained` are those by ACME. */
export function certificateFacts(
  { tls }: Snapshot,
  obtained: readonly CertificateSpec[] = [],
): CertificateFact[] {
  const own = tls.defaultCertificate;
  return [
    ...(own === null ? [] : [{ certificate: own, source: 'default' as const }]),
    ...tls.certificates.map((certificate) => ({ certificate, source: 'file' as const })),
    ...obtained.map((certificate) => ({ certificate, source: 'acme' as const })),
  ];
}

export interface TlsCertificateView {
  /** The fingerprint: SHA-256, hex. */
  readonly name: string;
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly status: CertificateState;
  readonly source: CertificateSource;
}

/** For `/api/tls/certificates`. */
export function tlsCertificateView({ certificate, source }: CertificateFact): TlsCertificateView {
  const { fingerprint: name, names, notBefore, notAfter } = certificate;
  return { name, names, ...dates(notBefore, notAfter), status: stateOf(certificate), source };
}

/** As Traefik shows it. */
export function certificateView({ certificate }: CertificateFact): Record<string, unknown> {
  const { fingerprint, names, notBefore, notAfter } = certificate;
  const { serialNumber, subject, issuer } = new X509Certificate(certificate.cert);
  return {
    name: fingerprint,
    sans: names,
    ...dates(notBefore, notAfter),
    serialNumber,
    commonName: part(subject, 'CN'),
    issuerOrg: part(issuer, 'O'),
    issuerCN: part(issuer, 'CN'),
    status: stateOf(certificate),
  };
}

export type CertificateState = 'enabled' | 'warning' | 'expired';

const warningMs = 30 * 24 * 3_600_000;

/** `warning`: fewer than 30 days are left. */
export function stateOf({ notAfter }: CertificateSpec): CertificateState {
  const left = notAfter - Date.now();
  if (left < 0) return 'expired';
  return left < warningMs ? 'warning' : 'enabled';
}

function dates(notBefore: number, notAfter: number): { notBefore: string; notAfter: string } {
  return { notBefore: new Date(notBefore).toISOString(), notAfter: new Date(notAfter).toISOString() };
}

function part(subject: string, key: string): string {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(subject)?.[1] ?? '';
}
