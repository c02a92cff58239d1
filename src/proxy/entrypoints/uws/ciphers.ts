// Which cipher suites uWebSockets.js is told to offer; it takes a list for TLS 1.2 alone.

import type { TlsOptionsSpec } from '../../../model/tls.ts';

/** Forward secrecy and authenticated encryption in all of them (RFC 9325 §4.2). */
const ownChoice = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];

/** Those of TLS 1.3 cannot be chosen: the engine offers all three of them. */
export function cipherList({ cipherSuites = [] }: Pick<TlsOptionsSpec, 'cipherSuites'>): string {
  const wanted = cipherSuites.filter((name) => !name.startsWith('TLS_'));
  return (wanted.length === 0 ? ownChoice : wanted).join(':');
}
