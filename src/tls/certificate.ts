// PEM texts → a certificate with its names and dates, or one sentence on what is wrong with them.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { CertificateSpec } from '../model/tls.ts';

export type ReadCertificate =
  | { readonly ok: true; readonly certificate: CertificateSpec }
  | { readonly ok: false; readonly problem: string };

/** Bytes of one PEM text: a chain of RSA-8192 certificates takes about a tenth. */
const maxPemBytes = 256 * 1024;
/** Names in one certificate; authorities put in a hundred at most. */
const maxNames = 1000;

/** Never throws, and says nothing of the key but what kind of text it is. */
export function readCertificate(certPem: string, keyPem: string): ReadCertificate {
  if (certPem.length > maxPemBytes || keyPem.length > maxPemBytes) {
    return problem(`certificate and key may take ${maxPemBytes} bytes each`);
  }
  const leaf = readLeaf(certPem);
  if (typeof leaf === 'string') return problem(leaf);
  const key = readKey(keyPem);
  if (typeof key === 'string') return problem(key);
  if (!leaf.checkPrivateKey(key)) return problem('the key is not the one of the certificate');
  const names = namesOf(leaf);
  if (names.length === 0) return problem('the certificate names no host');
  if (names.length > maxNames) return problem(`the certificate names more than ${maxNames} hosts`);
  return {
    ok: true,
    certificate: {
      fingerprint: fingerprintOf(leaf),
      cert: certPem,
      key: keyPem,
      names,
      notBefore: Date.parse(leaf.validFrom),
      notAfter: Date.parse(leaf.validTo),
    },
  };
}

/** Lower case, sorted; those of the SAN, else the common name. */
export function namesOf(certificate: X509Certificate): string[] {
  const names = new Set<string>();
  // Node quotes what could be taken for several entries (CVE-2021-44532): such a one is no name of a host.
  for (const entry of (certificate.subjectAltName ?? '').split(', ')) {
    const match = /^(?:DNS|IP Address):([^"\s]+)$/.exec(entry);
    if (match?.[1] !== undefined) names.add(match[1].toLowerCase());
  }
  if (names.size === 0) {
    const common = /^CN=([^\n]+)$/m.exec(certificate.subject)?.[1];
    if (common !== undefined && /^[\w.*:-]+$/.test(common)) names.add(common.toLowerCase());
  }
  return [...names].sort();
}

function readLeaf(pem: string): X509Certificate | string {
  if (!pem.includes('-----BEGIN')) return 'the certificate is no PEM text';
  try {
    // Node reads the first certificate of several, which has to be the leaf.
    return new X509Certificate(pem);
  } catch {
    return 'the certificate cannot be read: expected `-----BEGIN CERTIFICATE-----`, the leaf first';
  }
}

function readKey(pem: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return 'the key is encrypted: store it without a passphrase, readable by the gateway alone';
  }
  if (!pem.includes('-----BEGIN')) return 'the key is no PEM text';
  try {
    return createPrivateKey(pem);
  } catch {
    return 'the key cannot be read: expected `-----BEGIN PRIVATE KEY-----`, or the same with RSA or EC';
  }
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function problem(text: string): ReadCertificate {
  return { ok: false, problem: text };
}
