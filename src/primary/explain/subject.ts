// The request that `explain` is asked about: read as it was typed, then as rules see it.

import { isIP } from 'node:net';
import type { EncodedCharacters } from '../../model/entry-point.ts';
import { canonicalHost } from '../../rules/host.ts';
import type { RuleSubject } from '../../rules/subject.ts';
import { readSearch, readTarget } from '../../rules/target.ts';
import type { Shown } from './facts.ts';

/** As a person types it. */
export interface Typed {
  readonly method: string;
  readonly url: string;
  /** `Name: value`. */
  readonly headers: readonly string[];
  readonly entryPoint: string | undefined;
  /** Of the client; 127.0.0.1 unless said. */
  readonly peer: string | undefined;
}

export interface Asked {
  readonly method: string;
  readonly url: URL;
  /** Path and query as typed: `URL` would tidy the path up before the gateway does. */
  readonly target: string;
  /** Flat name, value; names in lower case. */
  readonly headers: readonly string[];
  readonly entryPoint: string | undefined;
  readonly peer: string;
}

/** A sentence that says what is wrong with it, or the question. */
export function readAsked({ method, url: written, headers: lines, entryPoint, peer }: Typed): Asked | string {
  if (!/^[A-Z]+$/i.test(method) || written === '')
    return 'give a method and a URL, for example GET http://example.com/path';
  if (!/^https?:\/\//i.test(written) || !URL.canParse(written))
    return 'the URL must begin with http:// or https://';
  const headers: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return "-H must be 'Name: value'";
    headers.push(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const from = peer ?? '127.0.0.1';
  if (isIP(from) === 0) return '--peer must be an IP address';
  const target = /^https?:\/\/[^/?#]*([^#]*)/i.exec(written)?.[1] ?? '';
  return {
    method: method.toUpperCase(),
    url: new URL(written),
    target: target.startsWith('/') ? target : `/${target}`,
    headers,
    entryPoint,
    peer: from,
  };
}

export function chooseEntryPoint(entryPoints: readonly Shown[], asked: Asked): Shown | undefined {
  if (asked.entryPoint !== undefined) return entryPoints.find(({ name }) => name === asked.entryPoint);
  const port = asked.url.port || (asked.url.protocol === 'https:' ? '443' : '80');
  return entryPoints.find(({ address }) => String(address).endsWith(`:${port}`)) ?? entryPoints[0];
}

interface HttpSettings {
  readonly sanitizePath?: boolean;
  readonly encodeQuerySemicolons?: boolean;
  readonly encodedCharacters?: Partial<EncodedCharacters>;
}

/** Of an API that does not tell: nothing is refused that the gateway might let through. */
const anyCharacter: EncodedCharacters = {
  slash: true,
  backSlash: true,
  nullCharacter: true,
  semicolon: true,
  percent: true,
  questionMark: true,
  hash: true,
};

/** The request as rules see it after intake, or the sentence that says why it is refused there. */
export function subjectOf(asked: Asked, entryPoint: Shown): RuleSubject | string {
  const {
    sanitizePath = true,
    encodeQuerySemicolons = false,
    encodedCharacters,
  } = (entryPoint['http'] ?? {}) as HttpSettings;
  const [path = '/', ...query] = asked.target.split('?');
  const target = readTarget(path, {
    sanitizePath,
    encodedCharacters: { ...anyCharacter, ...encodedCharacters },
  });
  const search = readSearch(query.join('?'), encodeQuerySemicolons);
  if (target === null || search === null) return '400: the path or query has no one meaning';
  const at = asked.headers.findIndex((text, index) => index % 2 === 0 && text === 'host');
  const authority = at === -1 ? asked.url.host : (asked.headers[at + 1] as string);
  const host = canonicalHost(authority);
  if (host === null) return '400: the host has no one meaning';
  const headers = asked.headers.filter((_text, index) => asked.headers[index - (index % 2)] !== 'host');
  return { host, routePath: target.routePath, method: asked.method, headers, search, peer: asked.peer };
}
