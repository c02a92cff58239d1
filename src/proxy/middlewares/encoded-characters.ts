// encodedCharacters: refuses paths with escapes that some servers decode before they look at the path.

import { CONTINUE } from '../hooks.ts';
import { defineMiddleware } from './define.ts';
import { bool, section } from './fields.ts';

export const encodedCharacters = defineMiddleware({
  kind: 'encodedCharacters',
  summary: 'Answers 400 to paths with an encoded character that is not allowed.',
  schema: section({
    allowEncodedSlash: bool.default(false),
    allowEncodedBackSlash: bool.default(false),
    allowEncodedNullCharacter: bool.default(false),
    allowEncodedSemicolon: bool.default(false),
    allowEncodedPercent: bool.default(false),
    allowEncodedQuestionMark: bool.default(false),
    allowEncodedHash: bool.default(false),
  }),
  build(options) {
    // Intake has brought the digits into upper case; a path that a middleware wrote may have others.
    const denied = escapes.filter(([key]) => !options[key]).map(([, code]) => code);
    const pattern = denied.length === 0 ? null : new RegExp(`%(?:${denied.join('|')})`, 'i');
    return {
      request(x) {
        if (pattern === null || !x.path.includes('%') || !pattern.test(x.path)) return CONTINUE;
        return x.answer(400, [], '');
      },
    };
  },
});

const escapes = [
  ['allowEncodedSlash', '2F'],
  ['allowEncodedBackSlash', '5C'],
  ['allowEncodedNullCharacter', '00'],
  ['allowEncodedSemicolon', '3B'],
  ['allowEncodedPercent', '25'],
  ['allowEncodedQuestionMark', '3F'],
  ['allowEncodedHash', '23'],
] as const;
