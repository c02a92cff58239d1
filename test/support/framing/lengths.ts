// Content-Length and Transfer-Encoding: twice, together, misspelt, with odd values.

import {
  alsoSplit,
  chunkedServed,
  either,
  type HostileCase,
  hostile,
  isToken,
  last,
  never,
  type Outcomes,
  refused,
  served,
  sweep,
  write,
} from './case.ts';

const chunks = '4\r\nabcd\r\n0\r\n\r\n';
const oddLengths = [
  [
    '',
    ' ',
    '+4',
    '-4',
    '-0',
    '0x4',
    '0b100',
    '0o4',
    '4e0',
    '4.0',
    '4 4',
    '4;',
    '4,4',
    '4, 4',
    '4,5',
    '4,',
    ',4',
  ],
  ['4\t4', '4_0', '1_0', '4\x00', '\x004', '4a', 'a', 'four', '"4"', "'4'", '(4)', '4 ;', '\xb2', '\xd9\xa4'],
  ['99999999999999999999', '18446744073709551620', '9223372036854775808', '1e3', 'NaN', 'Infinity'],
  [
    '4 abcd',
    '4, abcd',
    '\xef\xbc\x94',
    '%34',
    '=4',
    ':4',
    '4:',
    '4/5',
    '4-8',
    'bytes 4',
    'chunked',
    'null',
    '4\x0b',
    '\x0c4',
  ],
].flat();
const oddEncodings = [
  ['', ' ', 'identity', 'gzip', 'compress', 'deflate', 'xchunked', 'chunkedx', 'chunke', 'chunked chunked'],
  [
    'chunked, chunked',
    'chunked,chunked',
    'chunked, identity',
    'identity, chunked',
    'gzip, chunked',
    'chunked, gzip',
  ],
  [
    'chunked;q=1',
    'chunked; a=b',
    'chunked;',
    'chunked,',
    ',chunked',
    ', chunked',
    'chunked ,',
    '"chunked"',
    "'chunked'",
  ],
  [
    'chunked\x00',
    '\x00chunked',
    '\x0bchunked',
    'chunked\x0b',
    '\x0cchunked',
    'chunked\x0c',
    'chu\x00nked',
    'chu nked',
  ],
  [
    'chunk',
    'chunked-',
    '-chunked',
    'chunked=1',
    'chunked\\',
    '(chunked)',
    'c\xa0hunked',
    'trailers',
    'chunked/1',
    '1',
  ],
  [
    'chunKed\x7f',
    'x chunked',
    'chunked x',
    'ch\xc5\xb5nked',
    '%63hunked',
    'chunked\t, identity',
    'chunked\t\tchunked',
  ],
].flat();

export const lengthCases: readonly HostileCase[] = [
  ...oddLengths.map((value) =>
    hostile(`Content-Length: ${JSON.stringify(value)}`, withLength([`Content-Length: ${value}`]), refused()),
  ),
  ...['Content-Length', 'content-length', 'CONTENT-LENGTH', 'Content-length'].flatMap((name) =>
    ['4', '40', '0', '', '4, 4', 'x'].flatMap((second) => [
      hostile(
        `two lengths, 4 and ${name}: ${second}`,
        withLength(['Content-Length: 4', `${name}: ${second}`]),
        refused(),
      ),
      hostile(
        `two lengths, ${name}: ${second} and 4`,
        withLength([`${name}: ${second}`, 'Content-Length: 4']),
        refused(),
      ),
    ]),
  ),
  hostile('a length of zeros before its digits', withLength(['Content-Length: 0000004']), served('abcd')),
  hostile('blanks around a length', withLength(['Content-Length: \t 4 \t']), served('abcd')),
  hostile('no blank before a length', withLength(['Content-Length:4']), served('abcd')),
  alsoSplit(hostile('a length, and nothing odd', withLength(['Content-Length: 4']), served('abcd'))),
  alsoSplit(hostile('two lengths', withLength(['Content-Length: 4', 'Content-Length: 0']), refused())),
  ...aliases('Content-Length').map(([name, outcomes]) =>
    hostile(
      `${JSON.stringify(name)} beside a length`,
      withLength(['Content-Length: 4', `${name}: 40`]),
      outcomes,
    ),
  ),
  ...sweep(
    'behind a length',
    (char) => withLength([`Content-Length: 4${char}`]),
    (char) => (/[0-9]/.test(char) ? null : odd(char, served('abcd'))),
  ),
  ...sweep(
    'before a length',
    (char) => withLength([`Content-Length: ${char}4`]),
    (char) => (/[0-9]/.test(char) ? null : odd(char, served('abcd'))),
  ),
  ...nameSweeps('Content-Length', 'Content-Length: 4', 'abcd'),
];

export const encodingCases: readonly HostileCase[] = [
  ...oddEncodings.map((value) =>
    hostile(
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      withEncoding([`Transfer-Encoding: ${value}`]),
      refused(),
    ),
  ),
  ...oddEncodings.map((value) =>
    hostile(
      `Transfer-Encoding: ${JSON.stringify(value)} beside a length`,
      write({ fields: [`Transfer-Encoding: ${value}`, 'Content-Length: 4'], body: 'abcd' }),
      refused(),
    ),
  ),
  ...['chunked', 'Chunked', 'CHUNKED', 'chunKed', ' \tchunked\t '].map((value) =>
    hostile(
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      withEncoding([`Transfer-Encoding: ${value}`]),
      value.includes('\t') ? { uws: last('abcd'), node: either('abcd') } : chunkedServed('abcd'),
    ),
  ),
  ...['Transfer-Encoding', 'transfer-encoding', 'TRANSFER-ENCODING'].flatMap((name) =>
    ['chunked', 'identity', '', 'x'].flatMap((second) => [
      hostile(
        `two encodings, chunked and ${name}: ${second}`,
        withEncoding(['Transfer-Encoding: chunked', `${name}: ${second}`]),
        refused(),
      ),
      hostile(
        `two encodings, ${name}: ${second} and chunked`,
        withEncoding([`${name}: ${second}`, 'Transfer-Encoding: chunked']),
        refused(),
      ),
    ]),
  ),
  ...['0', '4', '5', '14', '15', '400', ''].flatMap((length) => [
    hostile(
      `chunks and then a length of ${length}`,
      withEncoding(['Transfer-Encoding: chunked', `Content-Length: ${length}`]),
      refused(),
    ),
    hostile(
      `a length of ${length} and then chunks`,
      withEncoding([`Content-Length: ${length}`, 'Transfer-Encoding: chunked']),
      refused(),
    ),
  ]),
  alsoSplit(
    hostile(
      'a length and chunks',
      withEncoding(['Content-Length: 5', 'Transfer-Encoding: chunked']),
      refused(),
    ),
  ),
  alsoSplit(
    hostile('chunks, and nothing odd', withEncoding(['Transfer-Encoding: chunked']), chunkedServed('abcd')),
  ),
  ...aliases('Transfer-Encoding').map(([name, outcomes]) =>
    hostile(
      `${JSON.stringify(name)} beside a length`,
      withLength(['Content-Length: 4', `${name}: chunked`]),
      outcomes,
    ),
  ),
  ...sweep(
    'behind chunked',
    (char) => withEncoding([`Transfer-Encoding: chunked${char}`]),
    (char) => odd(char, chunkedServed('abcd')),
  ),
  ...sweep(
    'before chunked',
    (char) => withEncoding([`Transfer-Encoding: ${char}chunked`]),
    (char) => odd(char, chunkedServed('abcd')),
  ),
  ...nameSweeps('Transfer-Encoding', 'Transfer-Encoding: chunked', chunks),
];

function withLength(fields: readonly string[]): string {
  return write({ fields, body: 'abcd' });
}

function withEncoding(fields: readonly string[]): string {
  return write({ fields, body: chunks });
}

/** Blanks around a value are none of it; the fast engine also trims what is above ASCII. */
function odd(char: string, blank: Outcomes): Outcomes {
  if (char === ' ') return blank;
  if (char === '\t') return { uws: 'uws' in blank ? blank.uws : blank, node: either('abcd') };
  if (char >= '\x80') return { uws: either('abcd'), node: refused() };
  // The fast engine waits for the end of a line that it has seen half of.
  if (char === '\r') return { uws: never, node: refused() };
  return refused();
}

/** Other spellings of a name that frames; a server's library might take each of them for it. */
function aliases(name: string): readonly (readonly [string, Outcomes])[] {
  const [a, b] = name.split('-') as [string, string];
  const tokens = [
    `${a}_${b}`,
    `${a}.${b}`,
    `${a}--${b}`,
    `${a}~${b}`,
    `${a}${b}`,
    `X-${name}`,
    `${name}-`,
    `-${name}`,
  ];
  const broken = [
    `${name} `,
    `${name}\t`,
    ` ${name}`,
    `\t${name}`,
    `${name}\x00`,
    `\x00${name}`,
    `${a} ${b}`,
    `${a}\x00${b}`,
  ];
  const odder = [
    `"${name}"`,
    `(${name})`,
    `${name}\x0b`,
    `${name}\x80`,
    `\x80${name}`,
    `${name}\xa0`,
    `${name}/`,
    `[${name}]`,
  ];
  return [
    ...tokens.map((one) => [one, served('abcd')] as const),
    ...[...broken, ...odder].map((one) => [one, refused()] as const),
  ];
}

/** No byte that is none of a name's may stand before or behind one. */
function nameSweeps(name: string, line: string, body: string): HostileCase[] {
  const outcomes = (char: string): Outcomes | null =>
    isToken(char) || char === ':' || char === '\r' || char === '\n' ? null : refused();
  const text = (field: string): string => write({ fields: [field], body });
  return [
    ...sweep(`before ${name}`, (char) => text(char + line), outcomes),
    ...sweep(`behind ${name}`, (char) => text(line.replace(':', `${char}:`)), outcomes),
  ];
}
