// What is known of a connection once its TLS handshake is over.

import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../../observability/access-record.ts';
import type { ClientAuthType } from '../../../model/tls.ts';
import { tlsTerms } from '../../../observability/tls-terms.ts';
import { verifiesClients } from '../../../tls/server-options.ts';
import type { ClientAuth } from '../client-demands.ts';

export interface Secured {
  /** Name of the options it was made with. */
  readonly options: string;
  /** What they asked of the client then. */
  readonly asked: ClientAuth;
  /** DER, the client's own first; null without any. */
  readonly certificates: readonly Uint8Array[] | null;
  /** For the access log and the metrics. */
  readonly facts: TlsFacts;
}

/** Longest chain that is looked at. */
const maxChain = 8;

/**
 * Whether a client may come in with the certificate it has shown, or without one. Its handshake is over: that it
 * holds the key is proved.
 */
export function admits(type: ClientAuthType, socket: TLSSocket): boolean {
  if (type === 'NoClientCert' || type === 'RequestClientCert') return true;
  const isShown = showsCertificate(socket);
  if (type === 'RequireAnyClientCert') return isShown;
  if (type === 'VerifyClientCertIfGiven') return !isShown || socket.authorized;
  return isShown && socket.authorized;
}

/** SHA-256 of each certificate in PEM texts, as Node writes it. Throws `Error` for what is no certificate. */
export function fingerprintsOf(pems: readonly string[]): ReadonlySet<string> {
  const single = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
  return new Set(
    pems.flatMap((pem) => pem.match(single) ?? []).map((pem) => new X509Certificate(pem).fingerprint256),
  );
}

/**
 * Null where the options say that certificates are verified and this one is not. With `RequestClientCert` and
 * `RequireAnyClientCert` it is whatever the client has shown, as with Traefik: who reads it has to judge it.
 * Without the `authorities`, by fingerprint: Node adds those it has itself to what the client has sent.
 */
export function certificatesOf(
  type: ClientAuthType,
  socket: TLSSocket,
  authorities: ReadonlySet<string>,
): readonly Uint8Array[] | null {
  if (type === 'NoClientCert' || (verifiesClients(type) && !socket.authorized)) return null;
  // Never `getPeerCertificate`: Node dies of a key on a curve that NIST has no name for, and who sends one is a stranger.
  let certificate = socket.getPeerX509Certificate();
  const chain: Uint8Array[] = [];
  while (certificate !== undefined && chain.length < maxChain) {
    if (chain.length > 0 && authorities.has(certificate.fingerprint256)) break;
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain.length === 0 ? null : chain;
}

/** Longest subject that is told, in characters. */
const maxSubject = 512;

export function factsOf(socket: TLSSocket, certificates: readonly Uint8Array[] | null): TlsFacts {
  const protocol = socket.getProtocol() ?? '';
  const cipher = socket.getCipher()?.standardName ?? '';
  return {
    version: protocol.replace(/^TLSv/, ''),
    cipher,
    terms: tlsTerms(protocol, cipher),
    clientSubject: certificates?.[0] === undefined ? null : subjectOf(certificates[0]),
  };
}

/** RFC 4514 §2.1: the last name first. A value keeps its commas apart from those between names. */
function subjectOf(der: Uint8Array): string | null {
  try {
    const lines = new X509Certificate(der).subject.split('\n');
    const names = lines.map((line) => line.replace(/(?<!\\)[,;<>"]/g, '\\$&'));
    return names.reverse().join(',').slice(0, maxSubject);
  } catch {
    return null;
  }
}

function showsCertificate(socket: TLSSocket): boolean {
  return socket.getPeerX509Certificate() !== undefined;
}
