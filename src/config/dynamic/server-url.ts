// The URL of a server as a service names it: scheme, host, port, and a path that only `preservePath` uses.

import { z } from 'zod';

export interface ServerUrl {
  readonly scheme: 'http' | 'https' | 'h2c';
  /** `http://10.0.0.1:8000`, the port as written (or left out). */
  readonly origin: string;
  /** Empty or beginning with `/`. */
  readonly path: string;
}

export const serverUrl: z.ZodType<ServerUrl> = z.any().transform((value, context) => {
  const read =
    typeof value === 'string' ? parseServerUrl(value.trim()) : 'expected a URL like http://10.0.0.1:8080';
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});

/** The URL, or what is wrong with it. */
export function parseServerUrl(url: string): ServerUrl | string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url);
  if (scheme === null) return 'expected a URL with a scheme, like http://10.0.0.1:8080';
  const name = (scheme[1] as string).toLowerCase();
  if (name !== 'http' && name !== 'https' && name !== 'h2c') return 'expected the scheme http, https or h2c';
  const rest = url.slice(scheme[0].length);
  const slash = rest.search(/[/?#]/);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash);
  const host = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(.*))?$/.exec(authority);
  // Worded so that the value is not shown with it.
  if (authority.includes('@')) return 'a server URL carries no user and no password';
  if (host === null) return 'expected a host name or an IP address after the scheme, IPv6 in brackets';
  const port = host[2];
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    return 'expected a port between 1 and 65535';
  }
  // Anything below space, or a space, would end up in the request line towards the server.
  if (/[^\x21-\x7e]/.test(path)) return 'expected a path of visible ASCII characters';
  if (path !== '' && !path.startsWith('/')) return 'expected no query and no fragment';
  if (/[?#]/.test(path)) return 'expected no query and no fragment';
  return { scheme: name, origin: `${name}://${authority.toLowerCase()}`, path: path === '/' ? '' : path };
}
