// The certificates a client has proved to hold.

import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Longest chain that is looked at. */
const maxChain = 8;

/** DER, the client's own first; null without any, and for such as nobody trusts. */
export function certificatesOf(socket: TLSSocket): readonly Uint8Array[] | null {
  if (!socket.authorized) return null;
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  const chain: Uint8Array[] = [];
  while (certificate?.raw !== undefined && chain.length < maxChain) {
    chain.push(certificate.raw);
    // The last of a chain is its own issuer.
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return chain.length === 0 ? null : chain;
}
