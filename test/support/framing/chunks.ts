// The syntax of chunks: sizes, extensions, line ends, what stands at the end.

import {
  alsoSplit,
  chunkedServed,
  either,
  type HostileCase,
  hostile,
  loose,
  never,
  type Outcomes,
  refused,
  served,
  stalled,
  sweep,
  write,
} from './case.ts';

const end = '0\r\n\r\n';
const oddSizes = [
  [
    '',
    ' 3',
    '\t3',
    '+3',
    '-3',
    '-0',
    '0x3',
    '3h',
    'g',
    '3g',
    '0x',
    'x',
    '3.0',
    '3,',
    '3,3',
    '3_',
    "'3'",
    '"3"',
    '3\x00',
    '\x003',
  ],
  [
    'ffffffffffffffff',
    'fffffffffffffffff',
    '10000000000000003',
    '8000000000000003',
    '100000000000000003',
    '7fffffffffffffff',
  ],
  ['3\r', '3\x0b', '3\x80', '\x803', '3 3', '3:', '3=', '3\\', '3/', '#3', '%33', '\xef\xbc\x93'],
].flat();
const extensions = [
  ';',
  ';a',
  ';a=b',
  ';a="b"',
  ';a="b;c"',
  ' ;a',
  '; a = b',
  ';a;b;c',
  ';0',
  ';\t',
  ';a="\\"',
];
const brokenExtensions = [';\x00', ';a\nb', ';a\rb', ';\n', ';a="b\nc"', ';a\x7f', ';\r0', '\n;a'];
const trailers = [
  'X-T: 1',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: b.test',
  'X-Forwarded-For: 1.2.3.4',
  'X-Case: 0',
];
const brokenTrailers = [
  'X T: 1',
  ' X-T: 1',
  'X-T',
  ': 1',
  'X-T: a\x00b',
  'X-T: a\rb',
  'X-T : 1',
  'X\x80: 1',
  'X-T: 1\n',
];

/** The fast engine's decoder reads over much of it; node's does not. */
const malformed = { uws: loose, node: refused() };
/** What is allowed, and of no use to anyone. */
const read = { uws: loose, node: either('abc') };
/** The start of something very long. */
const mostlyNever = { uws: loose, node: never };

export const chunkCases: readonly HostileCase[] = [
  ...oddSizes.map((size) =>
    chunked(
      `a chunk of size ${JSON.stringify(size)}`,
      `${size}\r\nabc\r\n${end}`,
      isLong(size) ? mostlyNever : malformed,
    ),
  ),
  ...['3', '03', '00000003', '3'.padStart(16, '0')].map((size) =>
    chunked(`a chunk of size ${size}`, `${size}\r\nabc\r\n${end}`, read),
  ),
  chunked('a size in upper case', `A\r\nabcdefghij\r\n${end}`, chunkedServed('abcdefghij')),
  chunked('a size in lower case', `a\r\nabcdefghij\r\n${end}`, chunkedServed('abcdefghij')),
  ...extensions.map((text) =>
    chunked(`the extension ${JSON.stringify(text)}`, `3${text}\r\nabc\r\n${end}`, read),
  ),
  ...extensions.map((text) =>
    chunked(`the extension ${JSON.stringify(text)} at the end`, `3\r\nabc\r\n0${text}\r\n\r\n`, read),
  ),
  ...brokenExtensions.map((text) =>
    chunked(`the extension ${JSON.stringify(text)}`, `3${text}\r\nabc\r\n${end}`, malformed),
  ),
  ...['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', ' \r\n', '', '\r\n\n', '\x0b\r\n'].flatMap((lineEnd) => [
    chunked(
      `${JSON.stringify(lineEnd)} behind a size`,
      `3${lineEnd}abc
${end}`,
      lineEnd === '' ? mostlyNever : malformed,
    ),
    chunked(`${JSON.stringify(lineEnd)} behind a chunk`, `3\r\nabc${lineEnd}${end}`, malformed),
    chunked(
      `${JSON.stringify(lineEnd)} behind the last size`,
      `3
abc
0${lineEnd}
`,
      lastSize(lineEnd),
    ),
  ]),
  chunked('a chunk that is longer than it says', `3\r\nabcd\r\n${end}`, malformed),
  chunked('a chunk that is shorter than it says', `5\r\nabc\r\n${end}`, malformed),
  chunked(
    'a chunk that ends in another request',
    `2\r\nabGET /smuggled/@ID@ HTTP/1.1\r\nHost: a\r\n\r\n${end}`,
    malformed,
  ),
  chunked('no end of the last chunk', '3\r\nabc\r\n0\r\n', { uws: loose, node: stalled }),
  chunked('no last chunk', '3\r\nabc\r\n', stalled),
  chunked('a size and no more', '3', stalled),
  chunked('half a chunk', '3\r\na', stalled),
  chunked('no chunk at all', '', stalled),
  chunked('several zeros', '3\r\nabc\r\n000\r\n\r\n', read),
  ...trailers.map((line) => chunked(`the trailer ${line}`, `3\r\nabc\r\n0\r\n${line}\r\n\r\n`, read)),
  ...brokenTrailers.map((line) =>
    chunked(`the trailer ${JSON.stringify(line)}`, `3\r\nabc\r\n0\r\n${line}\r\n\r\n`, malformed),
  ),
  chunked(
    'trailers that are a request',
    '3\r\nabc\r\n0\r\nGET /smuggled/@ID@ HTTP/1.1\r\nHost: a.test\r\n\r\n',
    malformed,
  ),
  chunked(
    'a request in a trailer',
    '3\r\nabc\r\n0\r\nX: GET /smuggled/@ID@ HTTP/1.1\r\nHost: a.test\r\n\r\n',
    read,
  ),
  alsoSplit(chunked('a trailer, cut anywhere', '3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n', read)),
  alsoSplit(chunked('a size that is none, cut anywhere', `3g\r\nabc\r\n${end}`, malformed)),
  ...sweep(
    'behind a size',
    (char) => post(`3${char}\r\nabc\r\n${end}`),
    (char) => (/[0-9A-Fa-f;]/.test(char) ? null : malformed),
  ),
  ...sweep(
    'before a size',
    (char) => post(`${char}3\r\nabc\r\n${end}`),
    (char) => (/[0-9A-Fa-f]/.test(char) ? null : malformed),
  ),
  ...sweep(
    'first behind a chunk',
    (char) => post(`3\r\nabc${char}\n${end}`),
    (char) => (char === '\r' ? null : malformed),
  ),
  ...sweep(
    'second behind a chunk',
    (char) => post(`3\r\nabc\r${char}${end}`),
    (char) => (char === '\n' ? null : malformed),
  ),
];

/** Bodies of methods that rarely have one, and heads that promise what is not there. */
export const bodyCases: readonly HostileCase[] = [
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'].flatMap((method) => [
    hostile(
      `${method} with a length`,
      write({ line: `${method} /case/@ID@ HTTP/1.1`, fields: ['Content-Length: 4'], body: 'abcd' }),
      served('abcd'),
    ),
    hostile(
      `${method} with chunks`,
      write({
        line: `${method} /case/@ID@ HTTP/1.1`,
        fields: ['Transfer-Encoding: chunked'],
        body: `4\r\nabcd\r\n${end}`,
      }),
      chunkedServed('abcd'),
    ),
    hostile(
      `${method} with both`,
      write({
        line: `${method} /case/@ID@ HTTP/1.1`,
        fields: ['Content-Length: 4', 'Transfer-Encoding: chunked'],
        body: `4\r\nabcd\r\n${end}`,
      }),
      refused(),
    ),
  ]),
  hostile(
    'a body that is a request',
    write({
      fields: ['Content-Length: 48'],
      body: 'GET /smuggled/@ID@ HTTP/1.1\r\nHost: a.test\r\n\r\n'.padEnd(48, 'x'),
    }),
    either(),
  ),
  hostile('a length that nothing follows', write({ fields: ['Content-Length: 400'] }), stalled),
  hostile('POST without a length', write({}), served()),
];

function chunked(name: string, body: string, outcomes: Outcomes): HostileCase {
  return hostile(name, post(body), outcomes);
}

function post(body: string): string {
  return write({ fields: ['Transfer-Encoding: chunked'], body });
}

function isLong(size: string): boolean {
  return /^[0-9a-f]{16}$/.test(size);
}

/** Behind `0`: the empty line that ends a body, or what is none. */
function lastSize(lineEnd: string): Outcomes {
  if (lineEnd === '') return mostlyNever;
  return lineEnd === '\r\n\r\n' ? read : malformed;
}
