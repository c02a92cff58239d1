// The keys that tokens are verified with.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Algorithm, createVerifier } from 'fast-jwt';
import { asymmetric, type JwtOptions, symmetric } from './options.ts';

/** Checks the signature alone; throws when it is wrong. */
export type Verify = (token: string) => unknown;

export interface KeySource {
  /** Counts up whenever keys are taken away or replaced: what was verified before may not be any more. */
  readonly generation: number;
  /**
   * For a token's header: how to verify it; null when no key is for it; a promise when that must be found out first.
   * `no_keys`: nobody knows at the moment.
   */
  find(kid: string | null, algorithm: string): Verify | null | 'no_keys' | Promise<Verify | null | 'no_keys'>;
}

/** Throws `Error` when the key cannot be read, without saying anything of it. */
export function staticKey(options: JwtOptions): KeySource {
  const { secret } = options;
  const allowed = secret !== '' ? within(symmetric, options.algorithms) : publicAlgorithms(options);
  const verify = verifierFor(secret !== '' ? secret : exported(readPublicKey(options.publicKey)), allowed);
  return { generation: 0, find: () => verify };
}

/** Verifies signatures only: claims are looked at in one place. Throws `Error` for a key that fits no algorithm. */
export function verifierFor(key: string, algorithms: readonly Algorithm[]): Verify {
  // The library's cache is off: ours knows when a key is gone.
  return createVerifier({
    key,
    algorithms: [...algorithms],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true,
  }) as Verify;
}

/** What a key of this type can have signed, of `wanted`; all of it when nothing is wanted. */
export function algorithmsOf(key: KeyObject, wanted: readonly Algorithm[]): readonly Algorithm[] {
  return within(byType(key), wanted);
}

export function exported(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}

function publicAlgorithms(options: JwtOptions): readonly Algorithm[] {
  const fitting = algorithmsOf(readPublicKey(options.publicKey), options.algorithms);
  if (fitting.length === 0) throw new Error('publicKey: it fits none of the algorithms');
  return fitting;
}

function readPublicKey(pem: string): KeyObject {
  // A private key would be taken, too, and its public half made of it.
  if (/PRIVATE KEY/.test(pem)) throw new Error('publicKey: this is a private key');
  try {
    return createPublicKey(pem);
  } catch {
    throw new Error('publicKey: expected a PEM text of a public key or a certificate');
  }
}

function byType(key: KeyObject): readonly Algorithm[] {
  if (key.asymmetricKeyType === 'rsa') return asymmetric.filter((name) => /^[RP]S/.test(name));
  if (key.asymmetricKeyType === 'ed25519') return ['EdDSA'];
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return ['ES256'];
  if (curve === 'secp384r1') return ['ES384'];
  return curve === 'secp521r1' ? ['ES512'] : [];
}

function within(all: readonly Algorithm[], wanted: readonly Algorithm[]): readonly Algorithm[] {
  return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name));
}
