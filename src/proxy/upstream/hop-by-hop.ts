// Fields that are about one connection and not about the message on it (RFC 9110 §7.6.1).

import type { HeaderList } from '../headers.ts';

/** Names, in lower case, that no answer carries on to the client. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Whether the connection to a server says itself what the field `name` of a request says: it is left out of what is
 * sent. Run for every field.
 */
export function isOfConnection(name: string): boolean {
  switch (name.length) {
    case 7:
      return name === 'upgrade';
    case 10:
      return name === 'connection' || name === 'keep-alive';
    case 14:
      return name === 'content-length';
    case 16:
      return name === 'proxy-connection';
    case 17:
      return name === 'transfer-encoding';
    default:
      return false;
  }
}

/**
 * The names that Connection lines, joined by commas and in lower case, nominate. A set: a head has room for a
 * hundred thousand of them, and for two thousand fields to compare each with.
 */
export function nominatedNames(connection: string): Set<string> {
  const names = new Set<string>();
  for (const name of connection.split(',')) names.add(name.trim());
  return names;
}

/** `headers` itself when it has none of `names`. */
export function withoutNames(headers: HeaderList, names: ReadonlySet<string>): HeaderList {
  for (let i = 0; i < headers.length; i += 2) {
    if (names.has(headers[i] as string))
      return headers.filter((_, at) => !names.has(headers[at - (at % 2)] as string));
  }
  return headers;
}
