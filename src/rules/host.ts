// The Host header: what rules compare and what would confuse them.

// Letters, digits and what names, IPv6 literals and ports are made of. A comma, userinfo or a path in Host
// mean one thing to a router and another to a backend that builds URLs from it.
const validAuthority = /^(?:[A-Za-z0-9\-._~]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** Lower case, without port, brackets and final dot; null for a Host that has no one meaning. */
export function canonicalHost(authority: string): string | null {
  if (!validAuthority.test(authority)) return null;
  let host = authority;
  if (host.charCodeAt(0) === 0x5b) {
    host = host.slice(1, host.indexOf(']'));
  } else {
    const colon = host.indexOf(':');
    if (colon !== -1) host = host.slice(0, colon);
    if (host.endsWith('.')) host = host.slice(0, -1);
  }
  return host === '' ? null : host.toLowerCase();
}

/** Port written in a valid authority, or empty. */
export function authorityPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon === -1 || authority.endsWith(']') ? '' : authority.slice(colon + 1);
}
