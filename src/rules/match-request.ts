// Path, Method, Header, Query and ClientIP matchers.

import { parseIpSet } from '../util/ip.ts';
import { messageOf } from '../util/message-of.ts';
import { requireRegexp } from './match-host.ts';
import { anyQueryValue } from './match-query.ts';
import { type BuiltMatcher, isAscii, MatcherFault, seenMethod, seenPath, seenPeer } from './matcher.ts';
import type { RuleSubject } from './subject.ts';

export function buildPath(written: string): BuiltMatcher {
  const path = requirePath(written, 0, 'Path');
  return {
    match: (s) => s.routePath === path,
    seen: seenPath,
    limits: { hosts: null, wildcards: [], prefixes: [path] },
    warnings: escapeWarnings(path),
  };
}

/** A raw prefix of the text: `/api` takes `/apix` too. */
export function buildPathPrefix(written: string): BuiltMatcher {
  const prefix = requirePath(written, 0, 'PathPrefix');
  return {
    match: (s) => s.routePath.startsWith(prefix),
    seen: seenPath,
    limits: { hosts: null, wildcards: [], prefixes: [prefix] },
    warnings: escapeWarnings(prefix),
  };
}

export function buildPathRegexp(pattern: string): BuiltMatcher {
  const regexp = requireRegexp(pattern, 0);
  return { match: (s) => regexp.test(s.routePath), seen: seenPath };
}

/** One of `methods`, which are upper-cased; the request's is compared as it came. */
export function buildMethods(methods: readonly string[]): BuiltMatcher {
  const upper = methods.map((method) => method.toUpperCase());
  const only = upper[0] as string;
  const match =
    upper.length === 1 ? (s: RuleSubject) => s.method === only : (s: RuleSubject) => upper.includes(s.method);
  return { match, seen: seenMethod };
}

/** Any value line equals `value` whole; commas do not split. */
export function buildHeader(written: string, value: string): BuiltMatcher {
  const name = written.toLowerCase();
  // Header values are latin1, one char a byte; what the rule wrote is UTF-8 on the wire.
  const wire = isAscii(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
  return headerMatcher(written, name, (seen) => seen === wire);
}

export function buildHeaderRegexp(written: string, pattern: string): BuiltMatcher {
  const regexp = requireRegexp(pattern, 1);
  return headerMatcher(written, written.toLowerCase(), (seen) =>
    regexp.test(isAscii(seen) ? seen : Buffer.from(seen, 'latin1').toString('utf8')),
  );
}

/** With one argument: `key` is there and empty. */
export function buildQuery(key: string, value: string | undefined): BuiltMatcher {
  const wanted = value ?? '';
  const equalsWanted = (seen: string): boolean => seen === wanted;
  const warnings =
    value === undefined
      ? [
          `Query(\`${key}\`) matches an empty ${key} only; for any value write QueryRegexp(\`${key}\`, \`.*\`)`,
        ]
      : [];
  return { match: (s) => anyQueryValue(s.search, key, equalsWanted), seen: seenQuery(key), warnings };
}

export function buildQueryRegexp(key: string, pattern: string | undefined): BuiltMatcher {
  if (pattern === undefined) return buildQuery(key, undefined);
  const regexp = requireRegexp(pattern, 1);
  const test = (seen: string): boolean => regexp.test(seen);
  return { match: (s) => anyQueryValue(s.search, key, test), seen: seenQuery(key) };
}

/** The TCP peer, whatever X-Forwarded-For says. */
export function buildClientIp(cidrs: readonly string[]): BuiltMatcher {
  for (const [index, cidr] of cidrs.entries()) {
    try {
      parseIpSet([cidr]);
    } catch (error) {
      throw new MatcherFault(messageOf(error), index);
    }
  }
  const set = parseIpSet(cidrs);
  return { match: (s) => set.has(s.peer), seen: seenPeer };
}

/** Throws `MatcherFault` unless it begins with a slash. */
export function requirePath(path: string, argument: number, matcher: string): string {
  if (path.startsWith('/')) return path;
  const slash = path.indexOf('/');
  const isHostAndPath = slash > 0 && path.slice(0, slash).includes('.');
  const instead = isHostAndPath
    ? `Host(\`${path.slice(0, slash)}\`) && ${matcher}(\`${path.slice(slash)}\`)`
    : `${matcher}(\`/${path}\`)`;
  throw new MatcherFault(
    `path ${JSON.stringify(path)} does not start with a slash`,
    argument,
    `write ${instead}`,
  );
}

export function seenQuery(key: string): (subject: RuleSubject) => string {
  return (s) =>
    anyQueryValue(s.search, key, () => true) ? `query ${key} has another value` : `there is no query ${key}`;
}

/** Intake takes these out of every request, as what is said between two neighbours or frames the message. */
const unseenNames: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'trailer',
  'trailers',
  'transfer-encoding',
]);

/** What a WebSocket handshake says in the headers that intake has read and taken out. */
const handshakeValues: Readonly<Record<string, readonly string[]>> = {
  upgrade: ['websocket'],
  connection: ['Upgrade', 'upgrade'],
};

function headerMatcher(written: string, name: string, test: (value: string) => boolean): BuiltMatcher {
  if (name === 'host') {
    const warnings = [`Header(\`${written}\`, …) never matches: the host is not among the headers; use Host`];
    return { match: () => false, seen: () => 'the host is not among the headers', warnings };
  }
  const inHandshake = Object.hasOwn(handshakeValues, name) && handshakeValues[name]?.some(test) === true;
  return {
    warnings: unseenNames.has(name) ? [`Header(\`${written}\`, …) never matches: rules do not see it`] : [],
    match: (s) => {
      if (inHandshake && s.isUpgrade === true) return true;
      const { headers } = s;
      for (let i = 0; i < headers.length; i += 2) {
        if (headers[i] === name && test(headers[i + 1] as string)) return true;
      }
      return false;
    },
    seen: (s) => {
      const isThere = s.headers.some((text, i) => i % 2 === 0 && text === name);
      return isThere ? `header ${written} has another value` : `there is no header ${written}`;
    },
  };
}

/** The routing path keeps escapes of reserved characters only, in upper case. */
function escapeWarnings(path: string): readonly string[] {
  for (const [escape] of path.matchAll(/%[0-9A-Fa-f]{2}/g)) {
    const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (!":/?#[]@!$&'()*+,;=%".includes(char)) {
      return [`path ${JSON.stringify(path)} never matches: ${escape} is compared decoded`];
    }
    if (escape !== escape.toUpperCase()) {
      return [`path ${JSON.stringify(path)} never matches: write ${escape.toUpperCase()}`];
    }
  }
  return [];
}
