// What can be said about tokens.

import type { Algorithm } from 'fast-jwt';
import type { z } from 'zod';
import { bool, duration, list, object, secret, text, textMap } from '../fields.ts';

export const asymmetric: readonly Algorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];
export const symmetric: readonly Algorithm[] = ['HS256', 'HS384', 'HS512'];

const known: ReadonlySet<string> = new Set([...asymmetric, ...symmetric]);

const algorithms: z.ZodType<readonly Algorithm[]> = list.refine(
  (names) => names.every((name) => known.has(name)),
  `expected algorithms of ${[...known].join(', ')}`,
) as never;

/** Bytes of a secret: shorter ones can be guessed from one token (RFC 7518 §3.2). */
const minSecret = 32;

/** Null: it will do. Says nothing of what is in it. */
export function secretProblem(value: string): string | null {
  // Everybody has a public key: whoever takes one for a secret lets all of them sign.
  if (value.includes('-----BEGIN')) return 'expected a secret, this is a PEM text';
  return Buffer.byteLength(value) < minSecret ? `expected a secret of at least ${minSecret} bytes` : null;
}

export const jwtSchema = object({
  jwksUrl: secret(
    text
      .default('')
      .refine((url) => url === '' || /^https?:\/\/[^/]/.test(url), 'expected an http or https URL'),
    'url',
  ),
  publicKey: text.default(''),
  publicKeyFile: text.default(''),
  secret: secret(
    text.default('').superRefine((value, context) => {
      const message = value === '' ? null : secretProblem(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
    }),
  ),
  secretFile: text.default(''),
  algorithms: algorithms.default([]),
  issuer: list.default([]),
  audience: list.default([]),
  clockTolerance: duration.refine((ms) => ms >= 0 && ms <= 300_000, 'expected 0s to 5m').default(5_000),
  requiredClaims: list.default(['exp']),
  scopes: list
    .refine(
      (names) => names.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)),
      'expected scopes of RFC 6749',
    )
    .default([]),
  claimsToHeaders: textMap.default({}),
  usernameClaim: text.default('sub'),
  headerField: text.default(''),
  removeHeader: bool.default(false),
  cookie: text.default(''),
  realm: text.default('traefik'),
})
  .refine(
    ({ jwksUrl, publicKey, publicKeyFile, secret, secretFile }) =>
      [jwksUrl, publicKey, publicKeyFile, secret, secretFile].filter((value) => value !== '').length === 1,
    'expected exactly one of jwksUrl, publicKey, publicKeyFile, secret and secretFile',
  )
  .superRefine((options, context) => {
    const isSecret = options.secret !== '' || options.secretFile !== '';
    const kinds = isSecret ? symmetric : asymmetric;
    const other = options.algorithms.find((name) => !kinds.includes(name));
    if (other === undefined) return;
    const message = `expected algorithms for a ${isSecret ? 'secret' : 'public key'}, ${other} is none`;
    context.addIssue({ code: 'custom', message, path: ['algorithms'] });
  });

export type JwtOptions = z.output<typeof jwtSchema>;
