// One serversTransport's tree → its settings.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import type { TransportConfig } from './schema.ts';
import { transportSchema } from './schema.ts';
import { suitesLeftOut } from './suites-left-out.ts';
import { placeOf } from './tree-access.ts';

const decodeTransport = objectDecoder('serversTransports', transportSchema);

export function loadTransport(name: string, node: Tree, diagnostics: Diagnostic[]): TransportConfig {
  const decoded = decodeTransport(name, node);
  diagnostics.push(...decoded.diagnostics);
  const transport = decoded.value ?? defaultTransport;
  if (transport.cipherSuites !== undefined) diagnostics.push(...suitesLeftOut(node));
  // They narrow whom we trust: leaving one out without a word would open something.
  if (transport.spiffe !== undefined) {
    const message = 'spiffe of a serversTransport is not supported';
    diagnostics.push({
      severity: 'error',
      code: 'config.unsupported',
      message,
      where: placeOf(node, ['spiffe']),
      hint: 'rootCAs and peerCertURI check an identity of the form spiffe://domain/path',
    });
  }
  if (transport.peerCertURI !== undefined && transport.insecureSkipVerify) {
    const message =
      'peerCertURI says nothing with insecureSkipVerify: anybody may write any URI in a certificate';
    diagnostics.push({
      severity: 'error',
      code: 'config.unsupported',
      message,
      where: placeOf(node, ['peerCertURI']),
      hint: 'give rootCAs instead of insecureSkipVerify',
    });
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
