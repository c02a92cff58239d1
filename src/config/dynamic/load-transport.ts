// One serversTransport's tree → its settings.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import type { TransportConfig } from './schema.ts';
import { transportSchema } from './schema.ts';
import { placeOf } from './tree-access.ts';

/** They narrow whom we trust or how we speak: leaving one out without a word would open something. */
const refusedKeys = ['cipherSuites', 'minVersion', 'maxVersion', 'peerCertURI', 'spiffe'] as const;

const decodeTransport = objectDecoder('serversTransports', transportSchema);

export function loadTransport(name: string, node: Tree, diagnostics: Diagnostic[]): TransportConfig {
  const decoded = decodeTransport(name, node);
  diagnostics.push(...decoded.diagnostics);
  const transport = decoded.value ?? defaultTransport;
  for (const key of refusedKeys) {
    if (transport[key] === undefined) continue;
    const message = `${key} of a serversTransport is not supported`;
    diagnostics.push({ severity: 'error', code: 'config.unsupported', message, where: placeOf(node, [key]) });
  }
  return transport;
}

/** What an empty serversTransport means. */
export const defaultTransport: TransportConfig = {
  insecureSkipVerify: false,
  rootCAs: [],
  certificates: [],
  maxIdleConnsPerHost: 0,
  disableHTTP2: false,
};
