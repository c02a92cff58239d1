// Go's regular expressions (RE2): accepted and refused as Go does, run on V8 where that is safe.

import { RE2JS } from 're2js';
import { messageOf } from '../util/message-of.ts';
import { expandTemplate, parseTemplate, type TemplatePart } from './regexp-template.ts';
import { translateRegexp } from './regexp-translate.ts';

export interface Regexp {
  /** As written. */
  readonly source: string;
  /** Whether it matches anywhere in `text`: nothing is anchored unless written so. */
  test(text: string): boolean;
  /** Go's ReplaceAllString: `$1`, `${1}`, `${name}`, `$$`; `$1x` is the name "1x". */
  replaceAll(text: string, template: string): string;
  /** Leftmost match as [start, end), in UTF-16 units, or null. */
  find(text: string): readonly [number, number] | null;
}

export type RegexpResult = { ok: true; regexp: Regexp } | { ok: false; message: string; hint?: string };

/** Longest pattern taken, in UTF-16 units: the compiled program grows with it. */
export const maxPatternLength = 16_384;

/** Never throws. Time to match is linear in the text, whatever the pattern. */
export function compileRegexp(pattern: string): RegexpResult {
  if (pattern.length > maxPatternLength) {
    return { ok: false, message: `regular expression is longer than ${maxPatternLength} characters` };
  }
  try {
    const re2 = RE2JS.compile(pattern);
    return { ok: true, regexp: makeRegexp(pattern, re2) };
  } catch (error) {
    const message = messageOf(error);
    const hint = hintFor(pattern);
    return hint === null ? { ok: false, message } : { ok: false, message, hint };
  }
}

interface Match {
  readonly start: number;
  readonly end: number;
  group(index: number): string;
}

function makeRegexp(source: string, re2: RE2JS): Regexp {
  const translated = translateRegexp(source);
  const fast = translated === null ? null : translated.regexp;
  // Beyond this length V8's backtracking could cost more than the linear engine ever does.
  const fastLength = translated === null ? -1 : translated.maxLength;
  const names = new Map(Object.entries(re2.namedGroups()));
  const groupCount = re2.groupCount();
  let lastTemplate: string | null = null;
  let lastParts: readonly TemplatePart[] = [];

  const match = (text: string, from: number): Match | null =>
    fast !== null && text.length <= fastLength ? matchFast(fast, text, from) : matchLinear(re2, text, from);

  return {
    source,
    test(text) {
      if (fast === null || text.length > fastLength) return re2.test(text);
      fast.lastIndex = 0;
      return fast.test(text);
    },
    replaceAll(text, template) {
      if (template !== lastTemplate) {
        lastParts = parseTemplate(template, names, groupCount);
        lastTemplate = template;
      }
      return replaceEach(text, match, lastParts);
    },
    find(text) {
      const found = match(text, 0);
      return found === null ? null : [found.start, found.end];
    },
  };
}

function matchFast(fast: RegExp, text: string, from: number): Match | null {
  fast.lastIndex = from;
  const found = fast.exec(text);
  if (found === null) return null;
  return {
    start: found.index,
    end: found.index + found[0].length,
    group: (index) => found[index] ?? '',
  };
}

function matchLinear(re2: RE2JS, text: string, from: number): Match | null {
  const matcher = re2.matcher(text);
  if (!matcher.find(from)) return null;
  return {
    start: matcher.start(),
    end: matcher.end(),
    group: (index) => matcher.group(index) ?? '',
  };
}

/** Go's rules: an empty match that touches the match before it is skipped. */
function replaceEach(
  text: string,
  match: (text: string, from: number) => Match | null,
  parts: readonly TemplatePart[],
): string {
  let out = '';
  let searchAt = 0;
  let copied = 0;
  while (searchAt <= text.length) {
    const found = match(text, searchAt);
    if (found === null) break;
    out += text.slice(copied, found.start);
    if (found.end > copied || found.start === 0) out += expandTemplate(parts, found);
    copied = found.end;
    const width = (text.codePointAt(searchAt) ?? 0) > 0xffff ? 2 : 1;
    searchAt = searchAt + width > found.end ? searchAt + width : found.end;
  }
  return out + text.slice(copied);
}

function hintFor(pattern: string): string | null {
  if (/\(\?(?:[=!]|<[=!])/.test(pattern)) {
    return 'look-ahead and look-behind do not exist here; write the exclusion as a second matcher with `!`';
  }
  if (/\\[1-9]/.test(pattern)) return 'back-references do not exist here';
  if (/[*+?}]\+/.test(pattern))
    return 'possessive quantifiers do not exist here; `+` alone does the same work';
  if (/\\Z/.test(pattern)) return 'write `$` or `\\z` for the end of the text';
  return null;
}
