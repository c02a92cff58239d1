// Host and HostRegexp.

import { noLimits } from './limits.ts';
import { type BuiltMatcher, isAscii, MatcherFault, seenHost } from './matcher.ts';
import { compileRegexp, type Regexp } from './regexp.ts';

/** `*.example.com` takes exactly one more label, `*` every request, even one without a host. */
export function buildHost(written: string): BuiltMatcher {
  const lower = requireAsciiHost(written, 0).toLowerCase();
  const domains = [lower];
  if (lower === '*') return { match: () => true, seen: seenHost, domains };
  const host = canonicalHost(lower);
  const warnings = warningsOf(host);
  if (!host.startsWith('*.')) return { ...buildExactHost(host), domains, warnings };
  const suffix = host.slice(1);
  return {
    match: (s) => {
      const label = s.host.length - suffix.length;
      return label > 0 && s.host.endsWith(suffix) && s.host.indexOf('.') === label;
    },
    seen: seenHost,
    limits: { hosts: [], wildcards: [suffix.slice(1)], prefixes: null },
    domains,
    warnings,
  };
}

/** `host` in canonical form; an empty one matches nothing. */
export function buildExactHost(host: string): BuiltMatcher {
  return {
    match: (s) => s.host === host && host !== '',
    seen: seenHost,
    limits: { hosts: [host], wildcards: [], prefixes: null },
  };
}

/** As an Exchange spells its host. */
export function canonicalHost(lower: string): string {
  const bare = lower.startsWith('[') && lower.endsWith(']') ? lower.slice(1, -1) : lower;
  return bare.endsWith('.') ? bare.slice(0, -1) : bare;
}

/** Not anchored, on the lower-case host. */
export function buildHostRegexp(pattern: string): BuiltMatcher {
  const regexp = requireRegexp(requireAsciiHost(pattern, 0), 0);
  const warnings: string[] = [];
  if (isTemplate(pattern)) {
    const hint = 'is the v2 form; v3 reads it as a plain regular expression that hardly ever matches.';
    warnings.push(`HostRegexp(\`${pattern}\`) ${hint} Write ^.+$ for any host, or set ruleSyntax: v2`);
  }
  // Traefik also tries the flattened CNAME, which is empty unless that feature is on.
  if (regexp.test('')) {
    warnings.push(`HostRegexp(\`${pattern}\`) matches the empty text and with it every host`);
    return { match: () => true, seen: seenHost, warnings };
  }
  return { match: (s) => regexp.test(s.host), seen: seenHost, limits: noLimits, warnings };
}

/** Throws `MatcherFault` with the pattern's own fault. */
export function requireRegexp(pattern: string, argument: number): Regexp {
  const result = compileRegexp(pattern);
  if (result.ok) return result.regexp;
  throw new MatcherFault(result.message, argument, result.hint ?? null);
}

export function requireAsciiHost(host: string, argument: number): string {
  if (isAscii(host)) return host;
  throw new MatcherFault(
    `host ${JSON.stringify(host)} has characters beyond ASCII`,
    argument,
    punycodeHint(host),
  );
}

/** `{name:regexp}` or `{name}`. */
export function isTemplate(pattern: string): boolean {
  return /\{[A-Za-z_][\w-]*(?::[^}]*)?\}/.test(pattern);
}

function punycodeHint(host: string): string {
  let ascii = '';
  try {
    ascii = new URL(`http://${host}`).hostname;
  } catch {
    // Not a host name in any script.
  }
  return isAscii(ascii) && ascii !== '' ? `write it in punycode: Host(\`${ascii}\`)` : 'write it in punycode';
}

function warningsOf(host: string): readonly string[] {
  if (/^[^:]+:\d+$/.test(host)) {
    return [`Host(\`${host}\`) never matches: hosts are compared without a port`];
  }
  if (host.includes('/')) return [`Host(\`${host}\`) never matches: it has a path; add PathPrefix for that`];
  const isOdd = host.replace(/^\*\./, '').includes('*');
  return isOdd ? [`Host(\`${host}\`) never matches: \`*\` stands for the first label only`] : [];
}
