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
  const leaf = pairOf(certPem, keyPem);
  if (typeof leaf === 'string') return problem(leaf);
  const names = namesOf(leaf);
  if (names.length === 0) return problem('the certificate names no host');
  if (names.length > maxNames) return problem(`the certificate names more than ${maxNames} hosts`);
  const beyondUws = beyondUwsOf(leaf);
  return {
    ok: true,
    certificate: {
      fingerprint: fingerprintOf(leaf),
      cert: certPem,
      key: keyPem,
      names,
      notBefore: Date.parse(leaf.validFrom),
      notAfter: Date.parse(leaf.validTo),
      ...(beyondUws === null ? {} : { beyondUws }),
    },
  };
}

/** The leaf, whomever it names, or what is wrong with the two texts; never throws. */
export function pairOf(certPem: string, keyPem: string): X509Certificate | string {
  if (certPem.length > maxPemBytes || keyPem.length > maxPemBytes) {
    return `certificate and key may take ${maxPemBytes} bytes each`;
  }
  const leaf = readLeaf(certPem);
  if (typeof leaf === 'string') return leaf;
  const key = readKey(keyPem);
  if (typeof key === 'string') return key;
  const unusable = unusableKey(key);
  if (unusable !== null) return unusable;
  if (!leaf.checkPrivateKey(key)) return 'the key is not the one of the certificate';
  return brokenAbove(certPem) ?? leaf;
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

/** Curves that clients take in certificates (RFC 8446 §4.2.3); OpenSSL's names. */
const curves = ['prime256v1', 'secp384r1', 'secp521r1'];
/** Bits: OpenSSL refuses what is shorter, and so do browsers. */
const minRsaBits = 2048;

/** What loads well enough, and fails every handshake. */
function unusableKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null {
  if (type === 'rsa' || type === 'rsa-pss') {
    const bits = details?.modulusLength ?? 0;
    return bits < minRsaBits ? `the key has ${bits} bits: RSA needs ${minRsaBits} or more` : null;
  }
  if (type === 'ed25519' || type === 'ed448') return null;
  if (type !== 'ec') return `the key is of the kind ${type}: expected RSA, ECDSA or Ed25519`;
  const curve = details?.namedCurve ?? 'unknown';
  return curves.includes(curve)
    ? null
    : `the key is on the curve ${curve}, which clients do not take: expected P-256, P-384 or P-521`;
}

/** Certificates of a chain that are looked at. */
const maxChain = 16;

/** A chain with one that cannot be read is not loaded by any engine. */
function brokenAbove(pem: string): string | null {
  const blocks = pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END/g) ?? [];
  if (blocks.length > maxChain) return `the chain has more than ${maxChain} certificates`;
  for (const [index, block] of blocks.entries()) {
    if (index === 0) continue;
    const end = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----/.exec(block)?.[1] ?? '';
    try {
      new X509Certificate(`${block} ${end}-----\n`);
    } catch {
      return `certificate ${index + 1} of the chain cannot be read`;
    }
  }
  return null;
}

/** id-ecPublicKey with its curve by name (RFC 5480 §2.1.1), as in every certificate but some by hand. */
const namedCurves = ['06082a8648ce3d030107', '06052b81040022', '06052b81040023'];

/** BoringSSL knows fewer kinds than OpenSSL; those it does not know it would leave out without a word. */
function beyondUwsOf({ publicKey, raw }: X509Certificate): string | null {
  const type = publicKey.asymmetricKeyType ?? 'unknown';
  if (type === 'rsa' || type === 'ed25519') return null;
  if (type !== 'ec') return `the ${type === 'ed448' ? 'Ed448' : 'RSA-PSS'} key`;
  const isNamed = namedCurves.some((oid) => raw.includes(Buffer.from(oid, 'hex')));
  return isNamed ? null : 'the curve without a name';
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function problem(text: string): ReadCertificate {
  return { ok: false, problem: text };
}
