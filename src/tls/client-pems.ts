// PEM texts of our side of a connection to a server: whom we believe, and as whom we come.

import { X509Certificate } from 'node:crypto';
import { pairOf } from './certificate.ts';

/** Bytes of one bundle of authorities; that of a whole system takes about 220 KiB. */
const maxBundleBytes = 1024 * 1024;

/** Whether there are certificates in `text`, and each of them can be read. */
export function isAuthorities(text: string): boolean {
  if (text.length > maxBundleBytes) return false;
  const each = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END/g) ?? [];
  if (each.length === 0) return false;
  try {
    for (const one of each)
      new X509Certificate(`${one}${one.includes('TRUSTED') ? ' TRUSTED' : ''} CERTIFICATE-----`);
    return true;
  } catch {
    return false;
  }
}

/** What keeps a client from showing this certificate; null when nothing does. It may name nobody. Says nothing of the key. */
export function clientPairProblem(certPem: string, keyPem: string): string | null {
  const pair = pairOf(certPem, keyPem);
  return typeof pair === 'string' ? pair : null;
}
