// Sticky sessions by cookie, with Traefik's cookie value, so that sessions survive a move to the gateway.

import { hash } from 'node:crypto';
import type { StickyCookieSpec } from '../../model/snapshot.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import type { Server } from './server.ts';

export class StickyCookie {
  readonly #name: string;
  readonly #servers = new Map<string, Server>();
  readonly #setCookie = new Map<Server, string>();

  constructor(spec: StickyCookieSpec, servers: readonly Server[]) {
    this.#name = spec.name;
    for (const server of servers) {
      const value = hash('sha256', server.url).slice(0, 16);
      this.#servers.set(value, server);
      // Traefik also reads the plain URL, which older versions wrote.
      this.#servers.set(server.url, server);
      this.#setCookie.set(server, cookieLine(spec, value));
    }
  }

  /** The server the request's cookie names; null when it names none that is up. */
  serverOf(headers: readonly string[]): Server | null {
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] !== 'cookie') continue;
      const value = cookieValue(headers[i + 1] as string, this.#name);
      const server = value === null ? undefined : this.#servers.get(value);
      if (server?.up) return server;
    }
    return null;
  }

  setCookieFor(server: Server): string {
    return this.#setCookie.get(server) as string;
  }
}

/** Value of one cookie in a Cookie header, or null. */
export function cookieValue(cookies: string, name: string): string | null {
  let from = 0;
  while (from < cookies.length) {
    let end = cookies.indexOf(';', from);
    if (end === -1) end = cookies.length;
    while (cookies.charCodeAt(from) === 0x20) from++;
    if (cookies.startsWith(name, from) && cookies.charCodeAt(from + name.length) === 0x3d) {
      return cookies.slice(from + name.length + 1, end).trim();
    }
    from = end + 1;
  }
  return null;
}

function cookieLine(spec: StickyCookieSpec, value: string): string {
  let line = `${spec.name}=${value}; Path=${spec.path}`;
  if (spec.domain !== null) line += `; Domain=${spec.domain}`;
  if (spec.maxAge !== 0) line += `; Max-Age=${Math.max(0, spec.maxAge)}`;
  if (spec.httpOnly) line += '; HttpOnly';
  if (spec.secure) line += '; Secure';
  if (spec.sameSite !== null)
    line += `; SameSite=${spec.sameSite[0]?.toUpperCase()}${spec.sameSite.slice(1)}`;
  return line;
}

/** Adds a Set-Cookie line beside those the server gave, in place of one of the same name. */
export function addSetCookie(headers: HeaderList, line: string): void {
  const name = line.slice(0, line.indexOf('=') + 1);
  const others: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    if (headers[i] === 'set-cookie' && !value.startsWith(name)) others.push(value);
  }
  deleteHeader(headers, 'set-cookie');
  for (const other of others) headers.push('set-cookie', other);
  headers.push('set-cookie', line);
}
