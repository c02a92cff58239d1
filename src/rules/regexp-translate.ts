// Rewrites a Go regular expression into a JavaScript one with the same meaning and a known worst cost,
// or declines. The pattern must have passed RE2's own parser: syntax is not checked again here.

import { classRanges, literal, readClass, readEscape } from './regexp-classes.ts';

export interface Translation {
  /** With the flags `gu` or `giu`; set `lastIndex` before use. */
  readonly regexp: RegExp;
  /** Longest text, in UTF-16 units, whose match stays within `stepBudget`. */
  readonly maxLength: number;
}

/** Backtracking steps one match may cost at worst: about 0.2 ms. */
const stepBudget = 65_536;
/** Texts are longer than this often enough that a lower limit isn't worth a second engine. */
const leastUsefulLength = 24;
const maxDepth = 40;

/** Null when the pattern says something that JavaScript would read differently, or could explode. */
export function translateRegexp(pattern: string): Translation | null {
  const flags = /^\(\?([is]{1,2})\)/.exec(pattern);
  const scan: Scan = {
    text: flags === null ? pattern : pattern.slice(flags[0].length),
    at: 0,
    out: '',
    fold: flags?.[1]?.includes('i') === true,
    dotAll: flags?.[1]?.includes('s') === true,
    unbounded: 0,
    factor: 1,
  };
  // Case folding beyond ASCII depends on the Unicode version of each engine.
  if (scan.fold && !isAscii(pattern)) return null;
  const anchored = scan.text.startsWith('^') || scan.text.startsWith('\\A');
  const shape = readAlternation(scan, 0);
  if (shape === null || scan.at < scan.text.length) return null;
  const startsAnywhere = !anchored || shape.branches > 1;
  const degree = scan.unbounded + (startsAnywhere ? 1 : 0);
  const maxLength = Math.floor((stepBudget / scan.factor) ** (1 / Math.max(1, degree)));
  if (maxLength < leastUsefulLength) return null;
  try {
    return { regexp: new RegExp(scan.out, scan.fold ? 'giu' : 'gu'), maxLength };
  } catch {
    return null;
  }
}

interface Scan {
  readonly text: string;
  at: number;
  out: string;
  readonly fold: boolean;
  readonly dotAll: boolean;
  /** Quantifiers without upper bound: each may add one power of the text's length. */
  unbounded: number;
  /** Ways that do not grow with the text: branches, options, counts. */
  factor: number;
}

/** What the quantifier after an atom has to know of it. */
interface Shape {
  /** Every way through it takes at least one character. */
  readonly consumes: boolean;
  /** There is more than one way through it. */
  readonly varies: boolean;
  readonly branches: number;
}

const oneChar: Shape = { consumes: true, varies: false, branches: 1 };
const noChar: Shape = { consumes: false, varies: false, branches: 1 };

function readAlternation(scan: Scan, depth: number): Shape | null {
  if (depth > maxDepth) return null;
  let branches = 1;
  let consumes = true;
  let varies = false;
  let branchConsumes = false;
  while (scan.at < scan.text.length && scan.text[scan.at] !== ')') {
    if (scan.text[scan.at] === '|') {
      scan.at += 1;
      scan.out += '|';
      consumes &&= branchConsumes;
      branchConsumes = false;
      branches += 1;
      continue;
    }
    const piece = readPiece(scan, depth);
    if (piece === null) return null;
    branchConsumes ||= piece.consumes;
    varies ||= piece.varies;
  }
  scan.factor *= branches;
  return { consumes: consumes && branchConsumes, varies: varies || branches > 1, branches };
}

function readPiece(scan: Scan, depth: number): Shape | null {
  const atom = scan.text[scan.at] === '(' ? readGroup(scan, depth) : readAtom(scan);
  if (atom === null) return null;
  const count = readCount(scan);
  if (count === null) return atom;
  // JavaScript gives up on empty rounds and forgets inner groups between rounds; Go does neither.
  // A repeated choice is also where backtracking explodes.
  if (count === 'odd' || !atom.consumes || count.max === 0) return null;
  if (count.max > 1 && atom.varies) return null;
  if (count.max === Number.POSITIVE_INFINITY) scan.unbounded += 1;
  scan.factor *= Math.max(1, count.min, count.max === Number.POSITIVE_INFINITY ? 1 : count.max);
  if (count.min !== count.max) scan.factor *= 2;
  return {
    consumes: count.min > 0,
    varies: count.min !== count.max,
    branches: 1,
  };
}

function readGroup(scan: Scan, depth: number): Shape | null {
  const rest = scan.text.slice(scan.at, scan.at + 64);
  const opening = /^\((?:\?(?::|P?<[0-9A-Za-z_]+>))?/.exec(rest)?.[0] ?? '(';
  // Flags inside the pattern: rare, and not worth a second reading of everything below.
  if (opening === '(' && rest[1] === '?') return null;
  scan.at += opening.length;
  scan.out += opening === '(?:' ? '(?:' : '(';
  const shape = readAlternation(scan, depth + 1);
  if (shape === null) return null;
  scan.at += 1;
  scan.out += ')';
  return shape;
}

function readAtom(scan: Scan): Shape | null {
  const point = scan.text.codePointAt(scan.at) ?? 0;
  const char = String.fromCodePoint(point);
  switch (char) {
    case '^':
    case '$':
      scan.at += 1;
      scan.out += char;
      return noChar;
    case '.':
      scan.at += 1;
      scan.out += scan.dotAll ? '[^]' : '[^\\n]';
      return oneChar;
    case '[':
      return readBracket(scan);
    case '\\':
      return readEscaped(scan);
    default:
      scan.at += char.length;
      scan.out += literal(point);
      return oneChar;
  }
}

function readBracket(scan: Scan): Shape | null {
  const read = readClass(scan.text, scan.at);
  if (read === null) return null;
  scan.at = read.end;
  scan.out += read.source;
  return oneChar;
}

function readEscaped(scan: Scan): Shape | null {
  const letter = scan.text[scan.at + 1] ?? '';
  const assertion = assertions[letter];
  if (assertion !== undefined) {
    // Under folding JavaScript counts two letters beyond ASCII as word characters.
    if (scan.fold && (letter === 'b' || letter === 'B')) return null;
    scan.at += 2;
    scan.out += assertion;
    return noChar;
  }
  const ranges = classRanges[letter.toLowerCase()];
  if (ranges !== undefined) {
    scan.at += 2;
    scan.out += letter === letter.toLowerCase() ? `[${ranges}]` : `[^${ranges}]`;
    return oneChar;
  }
  const escape = readEscape(scan.text, scan.at);
  if (escape === null) return null;
  scan.at = escape.end;
  scan.out += literal(escape.point);
  return oneChar;
}

const assertions: Readonly<Record<string, string>> = { A: '^', z: '$', b: '\\b', B: '\\B' };

/** The quantifier here, null for none, 'odd' for one that is better left alone. */
function readCount(scan: Scan): { min: number; max: number } | 'odd' | null {
  const quantifier = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(scan.text.slice(scan.at, scan.at + 16));
  if (quantifier === null) return null;
  const [written, low, comma, high] = quantifier;
  scan.at += written.length;
  scan.out += written;
  const unlimited = Number.POSITIVE_INFINITY;
  if (low === undefined) {
    return { min: written[0] === '+' ? 1 : 0, max: written[0] === '?' ? 1 : unlimited };
  }
  if (/^0\d/.test(low) || /^0\d/.test(high ?? '')) return 'odd';
  const min = Number(low);
  return { min, max: comma === undefined ? min : high === '' ? unlimited : Number(high) };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false;
  return !/\\(?:x|0|[1-7])/.test(text);
}
