// Identity headers: which ones the auth server owns, and how a client's own are cleared away before a
// request goes on, whatever spelling a backend would take for the same name.

import { compileRegexp, type Regexp } from '../../../rules/regexp.ts';
import { canonicalName, foldName, type HeaderList } from '../../headers.ts';
import type { ForwardAuthOptions } from './options.ts';

/**
 * Names that clients send of right: they are cleared on the way through this middleware when it lists
 * them, but must not be stripped at intake on routes without it. Folded.
 */
export const clientOwnedNames: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'host',
  'origin',
  'referer',
  'user-agent',
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-range',
  'content-location',
  'range',
  'date',
  'cache-control',
  'transfer-encoding',
  'connection',
  'upgrade',
]);

/** Names that frame a message or belong to one connection: never taken from the auth server, never cleared. */
export const framingNames: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** Folded names whose values only the auth server may set: of `authResponseHeaders` and `headerField`. */
export function managedNames(
  options: Pick<ForwardAuthOptions, 'authResponseHeaders' | 'headerField'>,
): string[] {
  const all = options.headerField === '' ? [] : [options.headerField];
  const folded = [...options.authResponseHeaders, ...all].map(foldName);
  return [...new Set(folded)].filter((name) => !framingNames.has(name));
}

/** Names remembered with their answer by a regexp; beyond it the regexp is asked each time. */
const maxRememberedNames = 1_000;

export class Identity {
  readonly #managed: ReadonlySet<string>;
  /** 1 at the length of some managed name: most request headers need no folding. */
  readonly #lengths: Uint8Array;
  readonly #listed: readonly string[];
  readonly #regexp: Regexp | null;
  readonly #matched = new Map<string, boolean>();

  constructor(options: ForwardAuthOptions) {
    this.#managed = new Set(managedNames(options));
    this.#lengths = new Uint8Array(256);
    for (const name of this.#managed) this.#lengths[Math.min(name.length, 255)] = 1;
    const listed = new Set(options.authResponseHeaders.map((name) => name.toLowerCase()));
    this.#listed = [...listed].filter((name) => !framingNames.has(name));
    this.#regexp =
      options.authResponseHeadersRegex === '' ? null : readRegexp(options.authResponseHeadersRegex);
  }

  /** Deletes from a request all that only the auth server may set. In place. */
  clear(headers: HeaderList): void {
    let to = 0;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      if (this.#owns(name)) continue;
      if (to !== i) {
        headers[to] = name;
        headers[to + 1] = headers[i + 1] as string;
      }
      to += 2;
    }
    headers.length = to;
  }

  /** What of an auth answer goes on to the backend: flat name, value; absent ones are absent. */
  pick(answerHeaders: readonly string[]): HeaderList {
    const picked: HeaderList = [];
    for (let i = 0; i < answerHeaders.length; i += 2) {
      const name = answerHeaders[i] as string;
      if (this.#listed.includes(name) || this.#matches(name))
        picked.push(name, answerHeaders[i + 1] as string);
    }
    return picked;
  }

  #owns(name: string): boolean {
    if (this.#lengths[Math.min(name.length, 255)] === 1 && this.#managed.has(foldName(name))) return true;
    return this.#regexp !== null && this.#matches(name);
  }

  #matches(name: string): boolean {
    const regexp = this.#regexp;
    if (regexp === null) return false;
    const known = this.#matched.get(name);
    if (known !== undefined) return known;
    const folded = foldName(name);
    const matches =
      !framingNames.has(folded) && (regexp.test(canonicalName(name)) || regexp.test(canonicalName(folded)));
    if (this.#matched.size < maxRememberedNames && name.length < 256) this.#matched.set(name, matches);
    return matches;
  }
}

function readRegexp(pattern: string): Regexp {
  const result = compileRegexp(pattern);
  if (!result.ok) throw new Error(`authResponseHeadersRegex: ${result.message}`);
  return result.regexp;
}
