// Which requests may leave HTTP behind.

import type { IncomingMessage } from 'node:http';

// One protocol, by its name and version (RFC 9110 §7.8).
const oneProtocol = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,32}(?:\/[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,32})?$/;
// HTTP inside a tunnel would pass every router and middleware by; TLS inside it as well.
const neverTunnelled = /^(?:h2c?|https?|tls)(?:\/|$)/i;

/**
 * Asked for requests that name a protocol in `Upgrade` and `upgrade` in `Connection`. False: a request like any
 * other, and the header goes nowhere.
 */
export function asksToSwitch(request: IncomingMessage): boolean {
  const { upgrade } = request.headers;
  if (upgrade === undefined || !oneProtocol.test(upgrade) || neverTunnelled.test(upgrade)) return false;
  if (request.httpVersionMinor === 0) return false;
  if (upgrade.toLowerCase() !== 'websocket') return true;
  return request.method === 'GET' && request.headers['sec-websocket-key'] !== undefined;
}
