// serversTransports → specs.

import type { TransportSpec } from '../../model/snapshot.ts';
import type { Entry, Merged } from './merge.ts';
import type { TransportConfig } from './schema.ts';

/** Go's default of 2 idle connections would open a new one for nearly every request under load. */
const defaultIdlePerHost = 200;

export function resolveTransports(
  merged: Merged,
  byDefault: TransportSpec,
): ReadonlyMap<string, TransportSpec> {
  const specs = new Map([[byDefault.name, byDefault]]);
  for (const entry of merged.transports.values()) specs.set(entry.name, transportSpec(entry));
  return specs;
}

function transportSpec({ name, written }: Entry<TransportConfig>): TransportSpec {
  const { value } = written;
  const timeouts = value.forwardingTimeouts;
  return {
    name,
    serverName: value.serverName ?? null,
    insecureSkipVerify: value.insecureSkipVerify,
    rootCAs: value.rootCAs,
    certificates: value.certificates.map(({ certFile, keyFile }) => ({ cert: certFile, key: keyFile })),
    ...(value.cipherSuites === undefined || value.cipherSuites.length === 0
      ? {}
      : { cipherSuites: value.cipherSuites }),
    ...(value.minVersion === undefined ? {} : { minVersion: value.minVersion }),
    ...(value.maxVersion === undefined ? {} : { maxVersion: value.maxVersion }),
    ...(value.peerCertURI === undefined ? {} : { peerCertURI: value.peerCertURI }),
    // Negative keeps none.
    maxIdleConnsPerHost: value.maxIdleConnsPerHost === 0 ? defaultIdlePerHost : value.maxIdleConnsPerHost,
    dialTimeout: timeouts?.dialTimeout ?? 30_000,
    responseHeaderTimeout: timeouts?.responseHeaderTimeout ?? 0,
    idleConnTimeout: timeouts?.idleConnTimeout ?? 90_000,
    ...(value.disableHTTP2 ? { disableHTTP2: true } : {}),
    errors: written.errors,
  };
}
