// TLS as Go names it, which is how Traefik's configuration does, in the words of OpenSSL.

import { z } from 'zod';
import type { ClientAuthType } from '../../model/tls.ts';
import type { TlsVersion } from '../../model/snapshot.ts';
import { list } from '../../proxy/middlewares/fields.ts';

const versions = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
} as const satisfies Record<string, TlsVersion>;

/** Those that Node's OpenSSL still has. */
const suites: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
};

/** Go still has these, OpenSSL does not: less is spoken than was asked for, never more. */
const gone: readonly string[] = [
  'TLS_RSA_WITH_RC4_128_SHA',
  'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
  'TLS_ECDHE_ECDSA_WITH_RC4_128_SHA',
  'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA',
];

/** A client's signal and no suite (RFC 7507): heeded whether it is listed or not. */
const fallbackSignal = 'TLS_FALLBACK_SCSV';

/** Go has no choice among these: they stay whatever is listed. */
const alwaysThere = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

export const tlsVersion: z.ZodType<TlsVersion> = z.any().transform((value, context) => {
  if (typeof value === 'string' && Object.hasOwn(versions, value))
    return versions[value as keyof typeof versions];
  context.addIssue({ code: 'custom', message: `expected one of ${Object.keys(versions).join(', ')}` });
  return z.NEVER;
});

/** As OpenSSL names them, those of TLS 1.3 first; empty where none are written, which is as if nothing was. */
export const cipherSuites: z.ZodType<readonly string[]> = list.transform((names, context) => {
  if (names.length === 0) return [];
  const isSpoken = (name: string): boolean => Object.hasOwn(suites, name) || alwaysThere.includes(name);
  const others = names.filter((name) => !isSpoken(name));
  const isAll = others.length === names.length;
  const unknown = others.find((name) => isAll || (name !== fallbackSignal && !gone.includes(name)));
  if (unknown === undefined) return [...alwaysThere, ...names.flatMap((name) => suites[name] ?? [])];
  context.addIssue({
    code: 'custom',
    message: `expected cipher suites as Go names them, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, not ${short(unknown)}`,
  });
  return z.NEVER;
});

/** Of a list as it is written, those that are left out of it. */
export function suitesGone(names: readonly string[]): readonly string[] {
  return names.filter((name) => gone.includes(name));
}

const curves: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
  X25519MLKEM768: 'X25519MLKEM768',
  SecP256r1MLKEM768: 'SecP256r1MLKEM768',
  SecP384r1MLKEM1024: 'SecP384r1MLKEM1024',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  x25519: 'X25519',
};

/** As OpenSSL names them. */
export const curvePreferences: z.ZodType<readonly string[]> = list.transform((names, context) => {
  const unknown = names.find((name) => !Object.hasOwn(curves, name));
  if (unknown === undefined) return [...new Set(names.flatMap((name) => curves[name] ?? []))];
  const message = `expected curves among ${Object.keys(curves).slice(0, 7).join(', ')}, not ${short(unknown)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const protocols = ['h2', 'http/1.1'];

/** Without `acme-tls/1`, which is answered whether it is listed or not. */
export const alpnProtocols: z.ZodType<readonly string[]> = list.transform((names, context) => {
  const kept = [...new Set(names)].filter((name) => name !== 'acme-tls/1');
  const unknown = kept.find((name) => !protocols.includes(name));
  if (unknown === undefined && (kept.length > 0 || names.length === 0)) return kept;
  const found = unknown === undefined ? 'acme-tls/1 alone' : short(unknown);
  const message = `expected protocols among ${protocols.join(', ')}, not ${found}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const satisfies readonly ClientAuthType[];

export const clientAuthType: z.ZodType<ClientAuthType> = z.enum(clientAuthTypes, {
  error: `expected one of ${clientAuthTypes.join(', ')}`,
});

function short(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
