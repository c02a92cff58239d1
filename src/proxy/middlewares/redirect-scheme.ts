// redirectScheme: sends the client to the same URL under another scheme and port.

import type { Exchange } from '../exchange.ts';
import { getHeader } from '../headers.ts';
import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { bool, object, text } from './fields.ts';
import { escapeLocation, redirect } from './redirect.ts';

export const redirectScheme = defineMiddleware({
  kind: 'redirectScheme',
  summary: 'Redirects to the same URL under another scheme and port.',
  schema: object({
    scheme: text.refine(
      (value) => /^[A-Za-z][A-Za-z0-9+.-]*$/.test(value),
      'expected a scheme such as https',
    ),
    port: text.refine(isPort, 'expected a port from 1 to 65535').default(''),
    permanent: bool.default(false),
  }),
  build(options) {
    const scheme = options.scheme;
    const port = suffix(scheme, options.port);
    return {
      request(x) {
        const host = withoutPort(x.authority);
        const from = seenScheme(x);
        if (from === scheme && seenPort(x.authority, host, from) === port) return CONTINUE;
        // Without a host there is nothing to send the client to.
        if (!isHost(host)) return x.answer(400, [], 'Bad Request');
        return redirect(
          x,
          `${scheme}://${host}${port}${escapeLocation(x.path + x.search)}`,
          options.permanent,
        );
      },
    };
  },
});

function isPort(value: string): boolean {
  return value === '' || (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535);
}

function suffix(scheme: string, port: string): string {
  const isUsual =
    port === '' || (scheme === 'http' && port === '80') || (scheme === 'https' && port === '443');
  return isUsual ? '' : `:${port}`;
}

/** A proxy before us may have taken TLS off; intake lets only trusted peers say so. */
function seenScheme(x: Exchange): string {
  const forwarded = getHeader(x.headers, 'x-forwarded-proto');
  if (forwarded === null || forwarded === '') return x.scheme;
  if (forwarded === 'http' || forwarded === 'https') return forwarded;
  const lower = forwarded.toLowerCase();
  if (lower === 'ws' || lower === 'http') return 'http';
  // A proxy that writes it in capitals would be redirected without end.
  return lower === 'wss' || lower === 'https' ? 'https' : forwarded;
}

function seenPort(authority: string, host: string, scheme: string): string {
  if (authority.length === host.length) return '';
  return suffix(scheme, authority.slice(host.length + 1));
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon === -1 || authority.indexOf(']', colon) !== -1) return authority;
  return authority.slice(0, colon);
}

function isHost(host: string): boolean {
  return /^(?:\[[\w:.%]+\]|[\w.~-]+)$/.test(host);
}
