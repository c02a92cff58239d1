// Certificates the gateway makes itself: the default one, and those that answer tls-alpn-01.

import { createHash, randomBytes, webcrypto } from 'node:crypto';
import type { CertificateSpec } from '../../model/tls.ts';
import { readCertificate } from '../../tls/certificate.ts';

export const defaultCommonName = 'PORTCULLIS DEFAULT CERT';

const hour = 3_600_000;
const year = 365 * 24 * hour;
/** RFC 8737, section 3: id-pe-acmeIdentifier. */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** P-256, one year, CN `PORTCULLIS DEFAULT CERT`; for names without a certificate. */
export async function selfSigned(names: readonly string[]): Promise<CertificateSpec> {
  return readMade(await makeSigned({ commonName: defaultCommonName, names, lifetime: year, extra: [] }));
}

/** RFC 8737: for one name, with the digest of the key authorisation; PEM, both. */
export async function alpnCertificate(
  domain: string,
  keyAuthorization: string,
): Promise<{ cert: string; key: string }> {
  const { Extension } = await loadX509();
  const digest = createHash('sha256').update(keyAuthorization).digest();
  // An OCTET STRING within the one every extension has.
  const value = Buffer.concat([Buffer.from([0x04, digest.length]), digest]);
  const extra = [new Extension(acmeIdentifier, true, value)];
  return makeSigned({ commonName: null, names: [domain], lifetime: 24 * hour, extra });
}

interface Making {
  /** Null: an empty subject; RFC 5280 wants the SAN critical then. */
  readonly commonName: string | null;
  readonly names: readonly string[];
  /** Milliseconds. */
  readonly lifetime: number;
  readonly extra: readonly InstanceType<X509['Extension']>[];
}

type X509 = typeof import('@peculiar/x509');

async function makeSigned({
  commonName,
  names,
  lifetime,
  extra,
}: Making): Promise<{ cert: string; key: string }> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(p256, true, ['sign', 'verify']);
  // Clocks of clients differ: one that is an hour late still takes it.
  const notBefore = new Date(Date.now() - hour);
  const serverAuth = '1.3.6.1.5.5.7.3.1';
  const alternatives = names.length === 0 ? [defaultName] : names;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: commonName === null ? '' : `CN=${commonName}`,
    notBefore,
    notAfter: new Date(notBefore.getTime() + lifetime),
    signingAlgorithm: p256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        alternatives.map((value) => ({ type: 'dns' as const, value })),
        commonName === null,
      ),
      ...extra,
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { cert: certificate.toString('pem'), key: pemOf('PRIVATE KEY', key) };
}

/** A certificate has to name something: a name that RFC 2606 keeps from ever being one. */
const defaultName = 'default.portcullis.invalid';

/** It costs megabytes: only gateways that make certificates pay for it. */
async function loadX509(): Promise<X509> {
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  return x509;
}

/** Positive, 127 bits. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString('hex');
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function readMade({ cert, key }: { cert: string; key: string }): CertificateSpec {
  const read = readCertificate(cert, key);
  if (!read.ok) throw new Error(`a certificate of our own cannot be read: ${read.problem}`);
  return read.certificate;
}
