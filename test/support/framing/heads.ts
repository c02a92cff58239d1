// The lines of a head: request lines, names, values, line ends.

import {
  alsoSplit,
  either,
  type HostileCase,
  hostile,
  isToken,
  type Outcomes,
  refused,
  served,
  never,
  sweep,
  write,
} from './case.ts';
import { hostsOfNoMeaning } from '../odd-hosts.ts';

const lineEnds = [
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  '\r\n ',
  '\r\n\t',
  '\r\n \r\n',
  '\x0b\r\n',
  '\x00\r\n',
  '\x85',
  '\r\x0b\n',
  '\x0c',
];
const oddLines = [
  [
    'POST  /case/@ID@ HTTP/1.1',
    'POST /case/@ID@  HTTP/1.1',
    'POST\t/case/@ID@ HTTP/1.1',
    'POST /case/@ID@\tHTTP/1.1',
    ' POST /case/@ID@ HTTP/1.1',
  ],
  [
    'POST /case/@ID@ HTTP/1.1 ',
    'POST /case/@ID@ HTTP/1.1 HTTP/1.1',
    'POST /case/@ID@',
    'POST HTTP/1.1',
    'POST',
    'POST /case/@ID@ ',
    'POST  HTTP/1.1',
  ],
  [
    'POST /case/@ID@ HTTP/2.0',
    'POST /case/@ID@ HTTP/2',
    'POST /case/@ID@ HTTP/3.0',
    'POST /case/@ID@ HTTP/0.9',
    'POST /case/@ID@ HTTP/1.2',
    'POST /case/@ID@ HTTP/1.9',
  ],
  [
    'POST /case/@ID@ HTTP/1.10',
    'POST /case/@ID@ HTTP/01.1',
    'POST /case/@ID@ HTTP/1.01',
    'POST /case/@ID@ HTTP/11',
    'POST /case/@ID@ HTTP/1',
    'POST /case/@ID@ HTTP/1.',
  ],
  [
    'POST /case/@ID@ http/1.1',
    'POST /case/@ID@ HTTPS/1.1',
    'POST /case/@ID@ HTTP /1.1',
    'POST /case/@ID@ HTTP/ 1.1',
    'POST /case/@ID@ HTTP/1 .1',
    'POST /case/@ID@ HTTP/1,1',
  ],
  [
    'POST /case/@ID@ HTTP/-1.1',
    'POST /case/@ID@ HTTP/+1.1',
    'POST /case/@ID@ HTTP/1.1.1',
    'POST /case/@ID@ XTTP/1.1',
    'POST /case/@ID@ RTSP/1.0',
    'POST /case/@ID@ ICE/1.0',
  ],
  [
    'POST case/@ID@ HTTP/1.1',
    'POST ?case=@ID@ HTTP/1.1',
    'POST #/case/@ID@ HTTP/1.1',
    'POST /case/@ID@#x HTTP/1.1',
    'POST /case/@ID@?a#x HTTP/1.1',
    'POST * HTTP/1.1',
  ],
  [
    'POST /case/@ID@%zz HTTP/1.1',
    'POST /case/@ID@% HTTP/1.1',
    'POST /case/@ID@%0 HTTP/1.1',
    'POST /case/@ID@/..%2fx HTTP/1.1',
    'POST /case/@ID@/..;/x HTTP/1.1',
    'POST \\case HTTP/1.1',
  ],
  [
    'CONNECT a.test:443 HTTP/1.1',
    'CONNECT /case/@ID@ HTTP/1.1',
    'PRI * HTTP/2.0',
    'PO\x00ST /case/@ID@ HTTP/1.1',
    'P\xd6ST /case/@ID@ HTTP/1.1',
    '{} /case/@ID@ HTTP/1.1',
  ],
  [
    ': /case/@ID@ HTTP/1.1',
    'HTTP/1.1 200 OK',
    'GET,POST /case/@ID@ HTTP/1.1',
    '"POST" /case/@ID@ HTTP/1.1',
    'ftp://a.test/case HTTP/1.1',
    'POST ftp://a.test/case/@ID@ HTTP/1.1',
  ],
  [
    'POST http:///case/@ID@ HTTP/1.1',
    'POST http://u@a.test/case/@ID@ HTTP/1.1',
    'POST http://a.test:x/case/@ID@ HTTP/1.1',
    'POST http:a.test/case/@ID@ HTTP/1.1',
    'POST a.test:80 HTTP/1.1',
  ],
].flat();
const oddHosts = [
  ...hostsOfNoMeaning,
  ' ',
  'a\x00b',
  'a\tb',
  '[',
  ']',
  'a:-1',
  'a:99999',
  'a:+80',
  '.',
  '[a]',
  'a\x7f',
];
const oddFields = [
  '',
  ': x',
  ':',
  'X-A',
  'X A: 1',
  'X-A : 1',
  'X(A): 1',
  'X-A\x00: 1',
  '\x00X-A: 1',
  'X-\xe9: 1',
  'X-A: a\x00b',
  'X-A: a\x7fb',
  'X-A: a\x1bb',
  'X-A: a\r\n b',
  'X-A: a\r\n\tb',
  'X-A: a\nX-B: b',
  'X-A: a\n\nGET /smuggled/@ID@ HTTP/1.1',
  'X-A:\x01',
  '[X]: 1',
  '{X}: 1',
  'X,Y: 1',
  'X/Y: 1',
  'X=Y: 1',
  'X?: 1',
  'X@Y: 1',
  'X;Y: 1',
  'X\\Y: 1',
  '"X": 1',
  '<X>: 1',
  '=: 1',
  'GET /smuggled/@ID@ HTTP/1.1',
];

/** Odd, but with one meaning. */
const harmlessHosts = new Set(['a:99999', '[a]', '.']);

export const headCases: readonly HostileCase[] = [
  ...oddLines.map((line) =>
    hostile(`the request line ${JSON.stringify(line)}`, write({ line }), lineOutcomes(line)),
  ),
  ...[
    'http://a.test/case/@ID@',
    'HTTP://A.TEST/case/@ID@',
    'http://b.test/case/@ID@',
    'https://a.test/case/@ID@?x',
  ].map((target) =>
    hostile(`the target ${target}`, write({ line: `POST ${target} HTTP/1.1` }), {
      uws: refused(400, 505),
      node: served(),
    }),
  ),
  ...[
    '//case/@ID@',
    '/case//@ID@',
    '/case/@ID@//',
    '/./case/@ID@',
    '/x/../case/@ID@',
    '/case/@ID@/%2e%2e/x',
    '/case/@ID@?//',
    '/case/@ID@/a:b@c',
    '/case/@ID@?a=b;c',
    '/case/@ID@?%0d%0aX:1',
    '/case/@ID@%0d%0aX:1',
    '/case/@ID@%00',
    '/case/@ID@%2f',
    '/case/@ID@%5c',
  ].map((target) => hostile(`the target ${target}`, write({ line: `POST ${target} HTTP/1.1` }), either())),
  ...oddHosts.map((host) =>
    hostile(
      `the Host ${JSON.stringify(host)}`,
      write({ host: `Host: ${host}` }),
      harmlessHosts.has(host) ? either() : refused(),
    ),
  ),
  ...[
    '',
    'Host: a.test\r\nHost: a.test',
    'Host: a.test\r\nHost: b.test',
    'host: a.test\r\nHOST: a.test',
    'Host : a.test',
    ' Host: a.test',
    'Host\t: a.test',
    'Host\x00: a.test',
  ].map((host) => hostile(`Host lines ${JSON.stringify(host)}`, write({ host }), refused())),
  ...oddFields.map((field) =>
    hostile(
      `the field ${JSON.stringify(field)}`,
      field === '' ? write({ fields: [' '] }) : write({ fields: [field] }),
      fieldOutcomes(field),
    ),
  ),
  ...lineEnds.flatMap((lineEnd) => lineEndCases(lineEnd)),
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    '\x00',
    '\r\n\n',
    ' \r\n',
    '\xef\xbb\xbf',
    '\r\n \r\n',
    '\x16\x03\x01',
  ].map((before) =>
    hostile(`${JSON.stringify(before)} before the request`, before + write({}), beforeOutcomes(before)),
  ),
  alsoSplit(
    hostile(
      'a folded line, cut anywhere',
      write({ fields: ['X-A: a\r\n b', 'Content-Length: 4'], body: 'abcd' }),
      refused(),
    ),
  ),
  alsoSplit(
    hostile(
      'a bare LF, cut anywhere',
      write({ fields: ['X-A: a\nContent-Length: 4'], body: 'abcd' }),
      refused(),
    ),
  ),
  ...sweep(
    'in a name',
    (char) => write({ fields: [`X${char}A: 1`] }),
    (char) => (isToken(char) || char === ':' ? served() : bareCr(char)),
  ),
  ...sweep('in a value', (char) => write({ fields: [`X-A: a${char}b`] }), valueOutcomes),
  ...sweep('in a path', (char) => write({ line: `POST /case/@ID@${char}x HTTP/1.1` }), pathOutcomes),
  ...sweep('in a query', (char) => write({ line: `POST /case/@ID@?a${char}x HTTP/1.1` }), pathOutcomes),
  ...sweep(
    'in a method',
    (char) => write({ line: `P${char}T /case/@ID@ HTTP/1.1` }),
    (char) => (isToken(char) ? either() : bareCr(char)),
  ),
  ...sweep(
    'as a minor version',
    (char) => write({ line: `POST /case/@ID@ HTTP/1.${char}` }),
    (char) => (char === '1' ? served() : char === '0' ? null : refused(400, 505)),
  ),
];

function beforeOutcomes(before: string): Outcomes {
  // RFC 9112 §2.2 allows for empty lines; node's parser also for their halves.
  if (/^[\r\n]+$/.test(before)) return { uws: /^(?:\r\n)+$/.test(before) ? either() : never, node: either() };
  // On an entry point without TLS its hello is answered by nothing that could be taken for HTTP.
  if (before.startsWith('\x16')) return { uws: refused(400, 505), node: { ...refused(), statuses: [] } };
  return bareCr(before);
}

function lineOutcomes(line: string): Outcomes {
  const strict = refused(400, 501, 505);
  // The fast engine waits for a version that never comes.
  if (line === 'POST' || /^POST \/case\/@ID@ ?$/.test(line)) return { uws: never, node: strict };
  // Node's parser takes more than one space for one, and RTSP for HTTP/1.0.
  if (/ {2}|RTSP/.test(line)) return { uws: strict, node: either() };
  return strict;
}

/** The fast engine ends the list at an empty name: what stands behind it is seen by nobody. */
function fieldOutcomes(field: string): Outcomes {
  return field.startsWith(':') ? { uws: either(), node: refused() } : refused();
}

/** The line end stands in turn behind each line of a request. */
function lineEndCases(lineEnd: string): HostileCase[] {
  const lines = ['POST /case/@ID@ HTTP/1.1', 'X-Case: @ID@', 'Host: a.test', 'Content-Length: 4'];
  return [...lines, ''].map((line, at) => {
    const text = [...lines, ''].map((one, i) => one + (i === at ? lineEnd : '\r\n')).join('');
    return hostile(
      `${JSON.stringify(lineEnd)} behind ${JSON.stringify(line)}`,
      `${text}abcd`,
      lineEndOutcomes(lineEnd, line),
    );
  });
}

function lineEndOutcomes(lineEnd: string, line: string): Outcomes {
  // Behind the last line it is a line end and the first bytes of the body.
  if (line === '' && lineEnd.startsWith('\r\n')) return either(null);
  // Where no line follows, the head goes on.
  if (lineEnd.length === 1 && line.startsWith('Content-Length')) return { uws: never, node: refused() };
  return bareCr(lineEnd);
}

/** The fast engine waits for the end of a line that it has seen half of; its own timeout ends that. */
function bareCr(text: string): Outcomes {
  return text.includes('\r') ? { uws: never, node: refused(400, 505) } : refused(400, 505);
}

function valueOutcomes(char: string): Outcomes {
  if (char === '\t' || (char >= ' ' && char < '\x7f')) return served();
  // A byte above ASCII alone is no UTF-8.
  if (char >= '\x80') return { uws: refused(), node: served() };
  return bareCr(char);
}

function pathOutcomes(char: string): Outcomes {
  return char > ' ' && char < '\x7f' ? either() : bareCr(char);
}
