// A transport's TLS settings, for whatever connects to its servers.

import type { TransportSpec } from '../../model/snapshot.ts';
import { type ClientTlsOptions, clientTlsOptions, identityCheck } from '../../tls/client-options.ts';

/** The transport's TLS half, as Node takes it. */
export function tlsOptions(transport: TransportSpec): ClientTlsOptions {
  return clientTlsOptions(transport);
}

/** For a connection over a context made of `tlsOptions`: what the context does not hold. */
export function peerOptions(
  transport: TransportSpec,
): Pick<ClientTlsOptions, 'rejectUnauthorized' | 'checkServerIdentity'> {
  return { rejectUnauthorized: !transport.insecureSkipVerify, ...identityCheck(transport) };
}
