// Keys of accounts and certificates, and the request for a certificate.

import { createPrivateKey, createPublicKey, generateKeyPair, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType, ResolverSettings } from '../../model/acme.ts';

const generate = promisify(generateKeyPair);

/** PEM; RSA 4096, which is what `acme.json` holds. */
export async function makeAccountKey(): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: 4096 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
}

/** PEM. RSA8192 takes a minute of one core, beside the event loop. */
export async function makeCertificateKey(keyType: KeyType): Promise<string> {
  if (keyType === 'EC256' || keyType === 'EC384') {
    const { privateKey } = await generate('ec', { namedCurve: keyType === 'EC256' ? 'P-256' : 'P-384' });
    return privateKey.export({ type: 'sec1', format: 'pem' }) as string;
  }
  const { privateKey } = await generate('rsa', { modulusLength: Number(keyType.slice(3)) });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
}

/** A name longer than that cannot be a common name (RFC 5280, appendix A.1). */
const maxCommonName = 64;

/** The request as PEM, signed with `key`. */
export async function makeRequest(
  names: readonly string[],
  key: string,
  { keyType, disableCommonName, emailAddresses }: ResolverSettings,
): Promise<string> {
  const x509 = await import('@peculiar/x509');
  const algorithm = algorithms[keyType];
  const keyObject = createPrivateKey(key);
  const { subtle } = webcrypto;
  const pkcs8 = keyObject.export({ type: 'pkcs8', format: 'der' });
  const privateKey = await subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);
  const spki = createPublicKey(keyObject).export({ type: 'spki', format: 'der' });
  const publicKey = await subtle.importKey('spki', spki, algorithm, true, ['verify']);
  const [first] = names;
  const hasCommonName = !disableCommonName && first !== undefined && first.length <= maxCommonName;
  const alternatives = [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...emailAddresses.map((value) => ({ type: 'email' as const, value })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: hasCommonName ? `CN=${first}` : '',
      keys: { privateKey, publicKey },
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension(alternatives)],
    },
    webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0],
  );
  return request.toString('pem');
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

const algorithms = {
  EC256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EC384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RSA2048: rsa,
  RSA4096: rsa,
  RSA8192: rsa,
} as const;
