// Requests of HTTP/2 that would be two, or other ones, if they were written down as HTTP/1.1 as they are.

import { flags, frame, frameTypes, headersFrame } from '../http2-frames.ts';
import { isToken } from './case.ts';

export interface StreamCase {
  readonly name: string;
  /** Frames of stream 1; `id` names the case for the recorder. */
  frames(id: string): readonly Buffer[];
  /** Null: either; false: it must not reach the server whole; true: it must, as it is. */
  readonly isServed: boolean | null;
  readonly body: string;
}

interface Fields {
  readonly method?: string | null;
  readonly scheme?: string | null;
  readonly path?: string | null;
  readonly authority?: string | null;
  /** Name and value, alternating. */
  readonly more?: readonly string[];
  /** Before all others. */
  readonly before?: readonly string[];
  readonly body?: string;
}

const smuggled = 'GET /smuggled/@ID@ HTTP/1.1\r\nHost: a.test\r\n\r\n';
const oddHosts = [
  'a,b',
  'u@h',
  'h/p',
  '',
  ' ',
  'a b',
  'h?x',
  'h#x',
  'h\\x',
  'a:b',
  '[::1',
  'a:80:80',
  '%61',
  'a;b',
  'a"b',
  '<a>',
];
const oddTargets = [
  '',
  'case',
  '*',
  '?x',
  '//',
  'http://b.test/case',
  '/a b',
  '/a HTTP/1.1',
  '/a#x',
  '/a\\b',
  '/%',
  '/%zz',
  '/..%2fx',
  '/..;/x',
  ' /a',
  '/a\tb',
];
const oddLengths = [
  '',
  '+4',
  '-4',
  '0x4',
  '4 4',
  '4,4',
  '4, 4',
  '4a',
  'a',
  '99999999999999999999',
  '4.0',
  '4;',
  '\xb2',
];
const ofConnection: readonly (readonly [string, string])[] = [
  ['connection', 'close'],
  ['connection', 'x-case'],
  ['connection', 'content-length'],
  ['connection', 'upgrade'],
  ['keep-alive', '1'],
  ['proxy-connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'identity'],
  ['transfer-encoding', ''],
  ['transfer-encoding', 'gzip, chunked'],
  ['upgrade', 'h2c'],
  ['upgrade', 'websocket'],
  ['te', 'chunked'],
  ['te', 'trailers, chunked'],
];
const lineBreaks = ['\r\n', '\n', '\r', '\0', '\r\n\r\n', '\r\n '];

export const streamCases: readonly StreamCase[] = [
  post('nothing odd', true, {}),
  post('a length that is right', true, { more: ['content-length', '4'] }),
  post('a body that is chunks and a request', true, { body: `0\r\n\r\n${smuggled}` }),
  post('a GET with a body', true, { method: 'GET' }),
  ...['3', '5', '40'].map((length) =>
    post(`a length of ${length} over 4 bytes`, false, { more: ['content-length', length] }),
  ),
  // It is answered before a first byte shows that it was wrong, and that byte reaches nobody.
  { ...post('a length of 0 over 4 bytes', null, { more: ['content-length', '0'] }), body: '' },
  ...oddLengths.map((value) =>
    post(`the length ${JSON.stringify(value)}`, false, { more: ['content-length', value] }),
  ),
  ...['4', '40', '0'].map((second) =>
    post(`the lengths 4 and ${second}`, false, { more: ['content-length', '4', 'content-length', second] }),
  ),
  ...ofConnection.map(([name, value]) =>
    post(`${name}: ${value}`, name === 'te' ? null : false, { more: [name, value] }),
  ),
  ...ofConnection.map(([name, value]) =>
    post(`${name}: ${value} beside a length`, name === 'te' ? null : false, {
      more: [name, value, 'content-length', '4'],
    }),
  ),
  ...lineBreaks.flatMap((text) => [
    post(`${JSON.stringify(text)} in a value`, null, { more: ['x-a', `a${text}content-length: 40`] }),
    post(`${JSON.stringify(text)} in a name`, null, { more: [`x-a${text}content-length`, '40'] }),
    post(`${JSON.stringify(text)} in :path`, false, { path: `/case HTTP/1.1${text}x-b: 1${text}x-c:` }),
    post(`${JSON.stringify(text)} in :method`, false, { method: `POST / HTTP/1.1${text}x-b: 1` }),
    post(`${JSON.stringify(text)} in :authority`, false, { authority: `a.test${text}x-b: 1` }),
    post(`${JSON.stringify(text)} in :scheme`, false, { scheme: `http${text}x-b: 1` }),
    post(`${JSON.stringify(text)} in host`, false, {
      authority: null,
      more: ['host', `a.test${text}x-b: 1`],
    }),
    post(`${JSON.stringify(text)} in cookie`, null, { more: ['cookie', `a=b${text}x-b: 1`] }),
    post(`${JSON.stringify(text)} in te`, null, { more: ['te', `trailers${text}x-b: 1`] }),
    post(`${JSON.stringify(text)} in x-forwarded-for`, null, {
      more: ['x-forwarded-for', `1.2.3.4${text}x-b: 1`],
    }),
  ]),
  ...oddHosts.map((host) => post(`the authority ${JSON.stringify(host)}`, false, { authority: host })),
  ...oddHosts.map((host) =>
    post(`the host ${JSON.stringify(host)}`, false, { authority: null, more: ['host', host] }),
  ),
  ...oddTargets.map((path) =>
    post(`the path ${JSON.stringify(path)}`, ['//', '/a\\b'].includes(path) ? null : false, { path }),
  ),
  ...['', 'ftp', 'HTTP', 'http/1.1', 'http:', 'a b'].map((scheme) =>
    post(`the scheme ${JSON.stringify(scheme)}`, scheme === 'HTTP' ? null : false, { scheme }),
  ),
  ...['', ' ', 'G T', 'CONNECT', 'GET /x HTTP/1.1', 'P\xd6ST', 'P,T', '{}'].map((method) =>
    post(`the method ${JSON.stringify(method)}`, false, { method }),
  ),
  ...(['method', 'scheme', 'path', 'authority'] as const).map((key) =>
    post(`no :${key}`, false, { [key]: null }),
  ),
  ...['method', 'scheme', 'path', 'authority'].map((name) =>
    post(`two :${name}`, false, { more: [`:${name}`, 'GET'] }),
  ),
  ...['method', 'scheme', 'path', 'authority', 'status', 'x', ''].map((name) =>
    post(`:${name} behind a field`, false, { more: [`:${name}`, '/x'] }),
  ),
  ...[':status', ':x', ':', ':protocol', ':host'].map((name) =>
    post(`${name} among the first`, false, { before: [name, 'x'] }),
  ),
  post('an extended CONNECT', false, { method: 'CONNECT', before: [':protocol', 'websocket'] }),
  post('an authority and another host', false, { more: ['host', 'b.test'] }),
  post('an authority and the same host', null, { more: ['host', 'a.test'] }),
  post('an authority and two hosts', false, { more: ['host', 'a.test', 'host', 'a.test'] }),
  ...['Content-Length', 'X-A', 'x-A'].map((name) => post(`the name ${name}`, false, { more: [name, '4'] })),
  ...['content_length', 'content.length', 'transfer_encoding'].map((name) =>
    post(`the name ${name}`, true, { more: [name, '40'] }),
  ),
  ...[' content-length', 'content-length ', 'content-length:', '"x"', 'x y', 'x(y)', ''].map((name) =>
    post(`the name ${JSON.stringify(name)}`, null, { more: [name, '40'] }),
  ),
  ...['100-continue', 'x'].map((value) => post(`expect: ${value}`, null, { more: ['expect', value] })),
  ...bytes(
    'in a name',
    () => null,
    (char) => ({ more: [`x${char}a`, '1'] }),
  ),
  ...bytes(
    'in a value',
    () => null,
    (char) => ({ more: ['x-a', `a${char}b`] }),
  ),
  ...bytes(
    'in :path',
    (char) => (/[\x21-\x7e]/.test(char) ? null : false),
    (char) => ({ path: `/case/a${char}b` }),
  ),
  ...bytes(
    'in :authority',
    (char) => (/[A-Za-z0-9.\-_~:]/.test(char) ? null : false),
    (char) => ({ authority: `a${char}1` }),
  ),
  ...bytes(
    'in :method',
    (char) => (isToken(char) ? null : false),
    (char) => ({ method: `P${char}T` }),
  ),
  ...trailerCases(),
];

function trailerCases(): StreamCase[] {
  const lines: readonly (readonly string[])[] = [
    ['x-t', '1'],
    ['content-length', '4'],
    ['content-length', '40'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'close'],
    ['host', 'b.test'],
    [':path', '/x'],
    [':status', '200'],
    ['x-t', 'a\r\nb: c'],
    ['X-T', '1'],
    ['x t', '1'],
  ];
  return lines.map(([name = '', value = '']) => ({
    name: `the trailer ${name}: ${JSON.stringify(value)}`,
    // What a trailer says is dropped, or the request is refused with it.
    isServed: null,
    body: 'abcd',
    frames: (id) => [
      headersFrame(1, fieldsOf(id, {}), flags.endHeaders),
      frame(frameTypes.data, 0, 1, Buffer.from('abcd')),
      headersFrame(1, [name, value]),
    ],
  }));
}

function post(name: string, isServed: boolean | null, fields: Fields): StreamCase {
  const { body = 'abcd' } = fields;
  return {
    name,
    isServed,
    body,
    frames: (id) => [
      headersFrame(1, fieldsOf(id, fields), flags.endHeaders),
      frame(frameTypes.data, flags.endStream, 1, Buffer.from(body.replaceAll('@ID@', id), 'latin1')),
    ],
  };
}

function fieldsOf(id: string, fields: Fields): readonly string[] {
  const {
    method = 'POST',
    scheme = 'http',
    path = '/case',
    authority = 'a.test',
    more = [],
    before = [],
  } = fields;
  const list = [...before];
  for (const [name, value] of [
    [':method', method],
    [':scheme', scheme],
    [':path', path],
    [':authority', authority],
  ] as const)
    if (value !== null) list.push(name, value);
  return [...list, 'x-case', id, ...more];
}

function bytes(
  name: string,
  isServed: (char: string) => boolean | null,
  fields: (char: string) => Fields,
): StreamCase[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const char = String.fromCharCode(byte);
    return post(`${name}, byte ${byte.toString(16)}`, isServed(char), fields(char));
  });
}
