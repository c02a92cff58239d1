// What TLS connections were made with, as labels: a small number for each pair of version and cipher.

import { labelsText } from './metric-text.ts';

const names = ['tls_cipher', 'tls_version'] as const;

/** Pairs told apart; OpenSSL offers fewer. */
const most = 128;

/** Labels by number; 0 is what an engine does not tell. */
export const tlsTexts: string[] = [labelsText(names, ['unknown', 'unknown'])];

const numbers = new Map<string, number>();

/** The number of a pair: once per connection. `version` as OpenSSL says it, `TLSv1.3`; `cipher` by its standard name. */
export function tlsTerms(version: string, cipher: string): number {
  const text = labelsText(names, [cipher, version.replace(/^TLSv/, '').replace(/^1$/, '1.0')]);
  const known = numbers.get(text);
  if (known !== undefined) return known;
  if (tlsTexts.length >= most) return 0;
  numbers.set(text, tlsTexts.length);
  tlsTexts.push(text);
  return tlsTexts.length - 1;
}
