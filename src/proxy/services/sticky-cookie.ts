// Sticky sessions by cookie, with Traefik's cookie value, so that sessions survive a move to the gateway.

import { hash } from 'node:crypto';
import type { StickyCookieSpec } from '../../model/snapshot.ts';
import { fnv1Hex } from '../../util/fnv.ts';
import type { Exchange } from '../exchange.ts';
import { deleteHeader, type HeaderList } from '../headers.ts';
import type { Choice, Picker } from './picker.ts';

export class StickyCookie<T extends Choice> {
  /** What the last `serverOf` found it by was a value of an older Traefik: the cookie is to be written anew. */
  isOlderForm = false;
  readonly #name: string;
  readonly #choices = new Map<string, T>();
  readonly #older = new Map<string, T>();
  readonly #setCookie = new Map<T, string>();

  constructor(spec: StickyCookieSpec, choices: readonly T[]) {
    this.#name = spec.name;
    for (const choice of choices) {
      const { key } = choice;
      const value = hash('sha256', key).slice(0, 16);
      this.#choices.set(value, choice);
      const fnv = fnv1Hex(key);
      for (const older of [key, fnv, fnv1Hex(fnv)]) this.#older.set(older, choice);
      this.#setCookie.set(choice, cookieLine(spec, value));
    }
  }

  /** Whom the request's cookie names; else whom `picker` gives, and the answer pins the client to that one. */
  choose(x: Exchange, picker: Picker<T>): T | null {
    const known = this.serverOf(x.headers);
    if (known !== null && !this.isOlderForm) return known;
    const choice = known ?? picker.pick(x);
    if (choice !== null) x.pinBy(this.setCookieFor(choice));
    return choice;
  }

  /** What the request's cookie names; null when that is nothing that can go on with it. */
  serverOf(headers: readonly string[]): T | null {
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] !== 'cookie') continue;
      const value = cookieValue(headers[i + 1] as string, this.#name);
      if (value === null) continue;
      const choice = this.#choices.get(value);
      if (choice?.keeps) {
        this.isOlderForm = false;
        return choice;
      }
      const older = this.#older.get(value);
      if (older?.keeps) {
        this.isOlderForm = true;
        return older;
      }
    }
    return null;
  }

  setCookieFor(choice: T): string {
    return this.#setCookie.get(choice) as string;
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
