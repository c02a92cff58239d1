// The matchers of the v2 syntax: several arguments mean "or", and `{name:regexp}` stands in hosts and paths.

import { noLimits, limitsOfAny } from './limits.ts';
import { buildExactHost, canonicalHost, requireAsciiHost, requireRegexp } from './match-host.ts';
import { firstQueryValue } from './match-query.ts';
import { buildPath, buildPathPrefix, requirePath, seenQuery } from './match-request.ts';
import { type BuiltMatcher, MatcherFault, seenHost, seenPath } from './matcher.ts';
import type { Regexp } from './regexp.ts';
import type { RuleMatch, RuleSubject } from './subject.ts';

/** Hosts compared whole; `*` has no meaning here. */
export function buildHostsV2(hosts: readonly string[]): BuiltMatcher {
  const lower = hosts.map((host, i) => requireAsciiHost(host, i).toLowerCase());
  return { ...anyOf(lower.map((host) => buildExactHost(canonicalHost(host)))), domains: lower };
}

export function buildHostRegexpsV2(templates: readonly string[]): BuiltMatcher {
  const matchers = templates.map((template, i): BuiltMatcher => {
    const regexp = requireTemplate(
      requireAsciiHost(template, i),
      { open: '(?i)^', other: '[^.]+', close: '$' },
      i,
    );
    return { match: (s) => s.host !== '' && regexp.test(s.host), seen: seenHost };
  });
  return anyOf(matchers);
}

export function buildPathsV2(paths: readonly string[]): BuiltMatcher {
  return anyOf(paths.map((path, i) => buildPathV2(path, i, 'Path')));
}

export function buildPathPrefixesV2(prefixes: readonly string[]): BuiltMatcher {
  return anyOf(prefixes.map((prefix, i) => buildPathV2(prefix, i, 'PathPrefix')));
}

/** Each `key=value` has to hold for the key's first value; `key=` takes any. */
export function buildQueriesV2(pairs: readonly string[]): BuiltMatcher {
  const tests = pairs.map((pair, i): RuleMatch => {
    const split = pair.indexOf('=');
    if (split < 1) {
      throw new MatcherFault(`${JSON.stringify(pair)} is not key=value`, i, `write Query(\`${pair}=…\`)`);
    }
    const key = pair.slice(0, split);
    const wanted = pair.slice(split + 1);
    if (wanted === '') return (s) => firstQueryValue(s.search, key) !== null;
    if (!/[{}]/.test(wanted)) return (s) => firstQueryValue(s.search, key) === wanted;
    const regexp = requireTemplate(wanted, { open: '^', other: '.*', close: '$' }, i);
    return (s) => {
      const value = firstQueryValue(s.search, key);
      return value !== null && regexp.test(value);
    };
  });
  const first = (pairs[0] as string).split('=')[0] as string;
  const match = (s: RuleSubject): boolean => {
    for (const test of tests) if (!test(s)) return false;
    return true;
  };
  return { match, seen: seenQuery(first) };
}

function buildPathV2(path: string, argument: number, matcher: 'Path' | 'PathPrefix'): BuiltMatcher {
  requirePath(path, argument, matcher);
  if (!/[{}]/.test(path)) return matcher === 'Path' ? buildPath(path) : buildPathPrefix(path);
  const close = matcher === 'Path' ? '$' : '';
  const regexp = requireTemplate(path, { open: '^', other: '[^/]+', close }, argument);
  const fixed = path.slice(0, path.indexOf('{'));
  return {
    match: (s) => regexp.test(s.routePath),
    seen: seenPath,
    limits: { hosts: null, wildcards: [], prefixes: [fixed] },
  };
}

function anyOf(matchers: readonly BuiltMatcher[]): BuiltMatcher {
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return only;
  const tests = matchers.map((matcher) => matcher.match);
  return {
    match: (s) => {
      for (const test of tests) if (test(s)) return true;
      return false;
    },
    seen: (s) => only?.seen(s) ?? '',
    limits: limitsOfAny(matchers.map((matcher) => matcher.limits ?? noLimits)),
    warnings: matchers.flatMap((matcher) => matcher.warnings ?? []),
  };
}

interface TemplateForm {
  readonly open: string;
  /** What `{name}` alone stands for. */
  readonly other: string;
  readonly close: string;
}

/** Text outside braces is literal, `{name:regexp}` is that expression. */
function requireTemplate(template: string, form: TemplateForm, argument: number): Regexp {
  let source = form.open;
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open === -1 ? undefined : open);
    if (literal.includes('}')) throw unbalanced(template, argument);
    source += literal.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
    if (open === -1) break;
    const close = closingBrace(template, open);
    if (close === -1) throw unbalanced(template, argument);
    const inner = template.slice(open + 1, close);
    const colon = inner.indexOf(':');
    const pattern = colon === -1 ? form.other : inner.slice(colon + 1);
    if (pattern === '' || colon === 0 || inner === '') {
      throw new MatcherFault(`{${inner}} has no name or no expression`, argument, 'write {name:regexp}');
    }
    requireRegexp(pattern, argument);
    source += `(?:${pattern})`;
    at = close + 1;
  }
  return requireRegexp(source + form.close, argument);
}

function closingBrace(template: string, open: number): number {
  let depth = 0;
  for (let i = open; i < template.length; i += 1) {
    if (template[i] === '{') depth += 1;
    if (template[i] === '}') depth -= 1;
    if (depth === 0) return i;
  }
  return -1;
}

function unbalanced(template: string, argument: number): MatcherFault {
  return new MatcherFault(`braces in ${JSON.stringify(template)} do not pair up`, argument);
}
