// One endpoint of Redis: `host:port`, or a URL that may also say user, password, database and TLS.

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  /** Null: a URL would have said. */
  readonly isTls: boolean | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly db: number | null;
}

/** The problem, as text, never holds what was written: there may be a password in it. */
export function parseRedisEndpoint(written: string, defaultPort: number): RedisEndpoint | string {
  if (written.includes('://')) return parseUrl(written, defaultPort);
  if (written.includes('@')) return 'a user and a password need `redis://` before them';
  if (written.startsWith('/')) return 'a unix socket is not supported, expected `host:port`';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,6}))?$/.exec(written);
  if (match === null) return 'expected `host:port`, `redis://…` or `rediss://…`';
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) return `the port is ${port}, expected 1 to 65535`;
  const host = (match[1] ?? match[2]) as string;
  return { host, port, isTls: null, username: null, password: null, db: null };
}

function parseUrl(written: string, defaultPort: number): RedisEndpoint | string {
  const url = URL.parse(written);
  const scheme = written.slice(0, written.indexOf('://')).toLowerCase();
  if (scheme !== 'redis' && scheme !== 'rediss') return 'expected `redis://` or `rediss://` before the host';
  if (url === null || url.hostname === '') return 'the URL cannot be read: expected `redis://host:port`';
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (port < 1) return `the port is ${port}, expected 1 to 65535`;
  if (url.search !== '' || url.hash !== '')
    return 'the URL has a query or a fragment, which mean nothing here';
  const path = /^\/?(\d{0,9})$/.exec(url.pathname);
  if (path === null) return 'the path of the URL is not the number of a database';
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === null || password === null) return 'user and password of the URL must be percent-encoded';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    isTls: scheme === 'rediss',
    username: username === '' ? null : username,
    password: password === '' ? null : password,
    db: path[1] === '' ? null : Number(path[1]),
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
