// TLS as Go names it, which is how Traefik's configuration does, in the words of OpenSSL.

import { z } from 'zod';
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

/** Go has no choice among these: they stay whatever is listed. */
const alwaysThere = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

export const tlsVersion: z.ZodType<TlsVersion> = z.any().transform((value, context) => {
  if (typeof value === 'string' && Object.hasOwn(versions, value))
    return versions[value as keyof typeof versions];
  context.addIssue({ code: 'custom', message: `expected one of ${Object.keys(versions).join(', ')}` });
  return z.NEVER;
});

/** As OpenSSL names them, those of TLS 1.3 first. */
export const cipherSuites: z.ZodType<readonly string[]> = list.transform((names, context) => {
  const unknown = names.find((name) => !Object.hasOwn(suites, name) && !alwaysThere.includes(name));
  if (unknown === undefined) return [...alwaysThere, ...names.flatMap((name) => suites[name] ?? [])];
  const shown = JSON.stringify(unknown.slice(0, 60));
  context.addIssue({
    code: 'custom',
    message: `expected cipher suites as Go names them, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, not ${shown}`,
  });
  return z.NEVER;
});
