// The request target: normalised and sanitised once, before anything is decided on it, so that the router,
// the auth server and the backend all see one and the same path.

import type { EncodedCharacters } from '../model/entry-point.ts';

export interface Target {
  /** What is forwarded: hex in upper case, unreserved characters unescaped, dot segments resolved. */
  readonly path: string;
  /** What rules compare: `path` with every escape decoded but those of reserved characters. */
  readonly routePath: string;
}

export interface TargetRules {
  readonly sanitizePath: boolean;
  readonly encodedCharacters: EncodedCharacters;
}

// A path of these characters only, without an empty or dot segment, is already what it will be.
const plainPath = /^(?:\/(?!\.\.?(?:[/;]|$))[A-Za-z0-9\-._~!$&'()*+,;=:@]+)+\/?$/;
// Without one of these an escaped path hides no dot segment.
const mayHideDots = /\.|%(?:2[5E]|C0|E0|F0)/i;
// `%252e` is a dot to whoever decodes twice, `%25252e` to whoever decodes three times.
const escapedAgain = /%(?:25)+(?=[0-9A-F]{2})/gi;
// URL parsers of browsers and of Node drop tab, CR and LF wherever they stand.
const droppedByParsers = /%0[9AD]/gi;
// Also in two to four bytes, which is no UTF-8 (RFC 3629 §3) but decoded by those that do not check.
const escapedDot = /%(?:2E|(?:C0|E0%80|F0%80%80)%AE)/gi;
const escapedSlash = /%(?:2F|5C|(?:C0|E0%80|F0%80%80)%AF|(?:C1|E0%81|F0%80%81)%9C)/gi;
const escapedEnd = /%(?:3B|3F|23|00|(?:C0|E0%80|F0%80%80)%BB)/gi;
// Spaces and control characters at its end are trimmed from a URL by its parsers, from a name by Windows.
const escapedSpace = /%(?:20|0[1-8BCEF]|1[0-9A-F])/gi;
const readDots = /\/\.\.? *(?:[/;]|$)/;
// RFC 3986 §3.3 has no place for these; a raw byte of 0x80 or above has no one meaning to all backends.
const forbiddenByte = /[^\x21-\x7e]|#/;
// Bytes that a path cannot hold unescaped (RFC 3986 §3.3): URL parsers disagree on what they mean, and take
// `\` for `/`. They leave escaped, as from Go.
const unescapedByte = /["<>\\^`{|}]/g;

/** Null: 400, the target has no one meaning. */
export function readTarget(rawPath: string, rules: TargetRules): Target | null {
  if (rawPath === '/' || plainPath.test(rawPath)) return { path: rawPath, routePath: rawPath };
  if (rawPath.charCodeAt(0) !== 0x2f || forbiddenByte.test(rawPath)) return null;
  // Whoever refuses it escaped has a server behind that takes it for a slash.
  if (!rules.encodedCharacters.backSlash && rawPath.includes('\\')) return null;
  const unescaped = normaliseEscapes(rawPath, rules.encodedCharacters);
  if (unescaped === null) return null;
  const normalised = unescaped.replace(unescapedByte, escapeByte);
  const path = rules.sanitizePath ? sanitisePath(normalised) : normalised;
  if (rules.sanitizePath && hidesDots(path)) return null;
  return { path, routePath: path.includes('%') ? toRoutePath(path) : path };
}

/**
 * Whether some server would read a dot segment into the escaped `path`: one that decodes once more or more often, takes
 * `\` for `/`, drops `;` and what follows, ends a path at NUL, `?` or `#`, or takes overlong UTF-8. Behind such a one
 * `/public/..%2Fadmin`, `/public/..;/admin` and `/public/%252e%252e/admin` are `/admin`. Nobody sends them in earnest.
 * Linear in the length of the path.
 */
export function hidesDots(path: string): boolean {
  if (!mayHideDots.test(path)) return false;
  const read = path
    .replace(escapedAgain, '%')
    .replace(droppedByParsers, '')
    .replace(escapedDot, '.')
    .replace(escapedSlash, '/')
    .replace(escapedEnd, ';')
    .replace(escapedSpace, ' ');
  return readDots.test(read);
}

/** `;` separates parameters like `&` for some backends: they all get the same. Null: 400. */
export function readSearch(query: string, encodeSemicolons: boolean): string | null {
  if (query === '') return '';
  if (forbiddenByte.test(query)) return null;
  if (!query.includes(';')) return `?${query}`;
  return `?${query.replaceAll(';', encodeSemicolons ? '%3B' : '&')}`;
}

const encodedNames: readonly (readonly [string, keyof EncodedCharacters])[] = [
  ['2F', 'slash'],
  ['5C', 'backSlash'],
  ['00', 'nullCharacter'],
  ['3B', 'semicolon'],
  ['25', 'percent'],
  ['3F', 'questionMark'],
  ['23', 'hash'],
];

/** Escapes of unreserved characters decoded, hex in upper case. Null for a broken or forbidden escape. */
function normaliseEscapes(path: string, allowed: EncodedCharacters): string | null {
  if (!path.includes('%')) return path;
  let out = '';
  let from = 0;
  for (let at = path.indexOf('%'); at !== -1; at = path.indexOf('%', from)) {
    const hex = path.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return null;
    const upper = hex.toUpperCase();
    for (const [code, name] of encodedNames) {
      if (code === upper && !allowed[name]) return null;
    }
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    out += path.slice(from, at) + (/[A-Za-z0-9\-._~]/.test(char) ? char : `%${upper}`);
    from = at + 3;
  }
  return out + path.slice(from);
}

function escapeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Empty and dot segments resolved; a final slash stays, and none comes from a final dot segment. */
export function sanitisePath(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const final = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.join('/')}${final}`;
}

const reserved = new Set(":/?#[]@!$&'()*+,;=%");

function toRoutePath(path: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < path.length; i++) {
    const char = path[i] as string;
    if (char !== '%') {
      bytes.push(char.charCodeAt(0));
      continue;
    }
    const code = Number.parseInt(path.slice(i + 1, i + 3), 16);
    if (reserved.has(String.fromCharCode(code)))
      bytes.push(0x25, path.charCodeAt(i + 1), path.charCodeAt(i + 2));
    else bytes.push(code);
    i += 2;
  }
  return Buffer.from(bytes).toString('utf8');
}
