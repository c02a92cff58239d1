// A transport's TLS settings.

import type { TransportSpec } from '../../model/snapshot.ts';

/** The transport's TLS half, as Node takes it. */
export function tlsOptions(transport: TransportSpec) {
  return {
    rejectUnauthorized: !transport.insecureSkipVerify,
    ...(transport.serverName === null ? {} : { servername: transport.serverName }),
    ...(transport.rootCAs.length === 0 ? {} : { ca: [...transport.rootCAs] }),
    ...(transport.certificates.length === 0
      ? {}
      : {
          cert: transport.certificates.map((pair) => pair.cert),
          key: transport.certificates.map((pair) => pair.key),
        }),
  };
}
