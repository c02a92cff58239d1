// TLS towards a server, from a transport's words to Node's.

import { checkServerIdentity, type PeerCertificate, type SecureVersion } from 'node:tls';
import type { TransportSpec } from '../model/snapshot.ts';

export interface ClientTlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly ca?: string[];
  readonly cert?: string[];
  readonly key?: string[];
  readonly ciphers?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/** Throws nothing: what OpenSSL makes of PEM texts and suites shows when it connects. */
export function clientTlsOptions(transport: TransportSpec): ClientTlsOptions {
  const { serverName, rootCAs, certificates, cipherSuites, minVersion, maxVersion } = transport;
  return {
    rejectUnauthorized: !transport.insecureSkipVerify,
    ...(serverName === null ? {} : { servername: serverName }),
    ...(rootCAs.length === 0 ? {} : { ca: [...rootCAs] }),
    ...(certificates.length === 0
      ? {}
      : { cert: certificates.map(({ cert }) => cert), key: certificates.map(({ key }) => key) }),
    ...(cipherSuites === undefined ? {} : { ciphers: cipherSuites.join(':') }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...identityCheck(transport),
  };
}

/** What connecting needs beside a context made of `clientTlsOptions`: whether the certificate is the right one's. */
export function identityCheck({ peerCertURI }: TransportSpec): Pick<ClientTlsOptions, 'checkServerIdentity'> {
  if (peerCertURI === undefined) return {};
  return {
    checkServerIdentity(host, certificate) {
      const mismatch = checkServerIdentity(host, certificate);
      if (mismatch !== undefined) return mismatch;
      if (namesUri(certificate.subjectaltname ?? '', peerCertURI)) return undefined;
      const error = new Error('the certificate does not name the expected URI');
      return Object.assign(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    },
  };
}

/** Node quotes a name that could be taken for several (CVE-2021-44532): such a one is never the URI that was meant. */
function namesUri(names: string, uri: string): boolean {
  return names.split(', ').includes(`URI:${uri}`);
}
