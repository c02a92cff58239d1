// Wrong answers of a server over HTTP/1.1, as data: what it sends, and what a client of the gateway must see of it.

export type Asked = 'GET' | 'HEAD' | 'POST';

/**
 * Of the client: a status, then whether the answer was `whole` or stays `open` until the client leaves; the status
 * alone of a failure that the gateway tells; or `cut`, with a part of the answer or none. Alternatives, where the
 * network decides, are divided by `|`.
 */
export type Outcome = string;

export interface HostileAnswer {
  /** Also the last segment of its path. */
  readonly name: string;
  /** Written one after the other, each in a turn of its own. */
  readonly pieces: readonly string[];
  /** After the pieces; `repeat` writes the last one again and again, to a bound, while the connection lasts. */
  readonly finish: 'stay' | 'end' | 'reset' | 'repeat';
  readonly gets: Outcome;
  /** What the client must have of the body when the answer is whole. */
  readonly body: string;
  /** The connection may serve again. */
  readonly reused: boolean;
  readonly asked: Asked;
  /** Milliseconds between two pieces; 0 is the next turn. */
  readonly pause: number;
}

type More = Partial<Omit<HostileAnswer, 'name' | 'gets'>>;

const ok = 'HTTP/1.1 200 OK\r\n';
const five = `${ok}Content-Length: 5\r\n`;
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const whole = `${five}\r\nhello`;
const second = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET';

const framing: readonly HostileAnswer[] = [
  head('two-lengths-equal', '502', 'Content-Length: 5\r\nContent-Length: 5'),
  head('two-lengths-different', '502', 'Content-Length: 5\r\nContent-Length: 4'),
  head('length-as-list', '502', 'Content-Length: 5, 5'),
  head('length-negative', '502', 'Content-Length: -5'),
  head('length-with-sign', '502', 'Content-Length: +5'),
  head('length-in-hex', '502', 'Content-Length: 0x5'),
  head('length-with-blank', '502', 'Content-Length: 5 5'),
  head('length-empty', '502', 'Content-Length:'),
  head('length-beyond-numbers', '502', 'Content-Length: 18446744073709551621'),
  head('length-and-chunks', '502', 'Content-Length: 5\r\nTransfer-Encoding: chunked'),
  head('chunks-and-length', '502', 'Transfer-Encoding: chunked\r\nContent-Length: 5'),
  head('encoding-identity', '502', 'Transfer-Encoding: identity'),
  head('encoding-empty', '502', 'Transfer-Encoding:'),
  head('encoding-gzip-and-chunked', '502', 'Transfer-Encoding: gzip, chunked'),
  head('encoding-chunked-not-last', '502', 'Transfer-Encoding: chunked, identity'),
  head('encoding-twice', '502', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  head('encoding-quoted', '502', 'Transfer-Encoding: "chunked"'),
  head('encoding-with-parameter', '502', 'Transfer-Encoding: chunked;a=b'),
  head('encoding-vertical-tab', '500', 'Transfer-Encoding: \x0bchunked'),
  one(
    'chunks-in-http-1.0',
    '502',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ),
  one('informational-with-length', '502', `HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\nhello${whole}`),
  one(
    'informational-with-chunks',
    '502',
    `HTTP/1.1 100 Go\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${whole}`,
  ),
];

const chunks: readonly HostileAnswer[] = [
  one('chunk-size-no-number', 'cut', `${chunked}xyz\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-empty', 'cut', `${chunked}\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-negative', 'cut', `${chunked}-5\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-with-0x', 'cut', `${chunked}0x5\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-after-blank', 'cut', `${chunked} 5\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-before-blank', 'cut', `${chunked}5 \r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-of-65-bits', 'cut', `${chunked}10000000000000005\r\nhello\r\n0\r\n\r\n`),
  one('chunk-size-beyond-numbers', 'cut', `${chunked}ffffffffffffffff\r\nhello\r\n0\r\n\r\n`),
  one('chunk-longer-than-said', 'cut', `${chunked}5\r\nhello!!\r\n0\r\n\r\n`),
  one('chunk-line-with-bare-lf', 'cut', `${chunked}5\nhello\r\n0\r\n\r\n`),
  one('chunk-end-with-bare-lf', 'cut', `${chunked}5\r\nhello\n0\r\n\r\n`),
  one('chunk-extension-with-nul', 'cut', `${chunked}5;a\0b\r\nhello\r\n0\r\n\r\n`),
  one('chunk-extension-with-bare-lf', 'cut', `${chunked}5;a\nhello\r\n0\r\n\r\n`),
  one('chunk-last-with-bare-lf', 'cut', `${chunked}5\r\nhello\r\n0\n\n`),
  one('chunk-last-missing', 'cut', `${chunked}5\r\nhello\r\n`, { finish: 'end' }),
  one('chunk-last-half', 'cut', `${chunked}5\r\nhello\r\n0\r\n`, { finish: 'end' }),
  one('trailer-with-cr', 'cut', `${chunked}5\r\nhello\r\n0\r\na: b\rc\r\n\r\n`),
  one('trailer-with-nul', 'cut', `${chunked}5\r\nhello\r\n0\r\na: \0\r\n\r\n`),
  endless('chunk-extension-endless', 'cut', [`${chunked}5;`, 'x'.repeat(16_384)]),
  endless('trailer-line-endless', 'cut', [`${chunked}5\r\nhello\r\n0\r\n`, 'x'.repeat(16_384)]),
  endless('trailer-lines-endless', 'cut', [`${chunked}5\r\nhello\r\n0\r\n`, 'a: b\r\n'.repeat(2_000)]),
  one('chunks-of-one-byte', '200 whole', `${chunked}${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`, {
    body: 'x'.repeat(20_000),
    reused: true,
  }),
];

const heads: readonly HostileAnswer[] = [
  head('value-with-cr', '500', 'X-A: a\rSet-Cookie: b=c'),
  head('value-with-lf', '500', 'X-A: a\nSet-Cookie: b=c'),
  head('value-with-nul', '500', 'X-A: a\0b'),
  head('value-with-delete', '500', 'X-A: a\x7fb'),
  head('line-folded', '500', 'X-A: a\r\n b'),
  head('line-without-colon', '500', 'X-A'),
  head('line-of-blanks', '500', '  '),
  head('name-before-blank', '500', 'Content-Length : 5'),
  head('name-after-blank', '500', ' Content-Length: 5'),
  head('name-empty', '500', ': a'),
  head('name-with-nul', '500', 'X\0A: a'),
  head('name-of-8-bits', '500', 'X-\xe9: a'),
  one('heads-end-with-bare-lf', '500', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'),
  endless('line-endless', '500', [`${ok}X-A: `, 'x'.repeat(16_384)]),
  endless('name-endless', '500', [ok, 'x'.repeat(16_384)]),
  endless('lines-endless', '500', [ok, 'x-a: b\r\n'.repeat(512)]),
  endless('reason-endless', '500', ['HTTP/1.1 200 ', 'x'.repeat(16_384)]),
  one('lines-3000', '500', `${ok}${'x: y\r\n'.repeat(3_000)}\r\n`),
  one('nominates-110000-names', '200 whole', nominating(110_000), { reused: true }),
];

const statusLines: readonly HostileAnswer[] = [
  statusLine('status-of-2-digits', '500', 'HTTP/1.1 20 OK'),
  statusLine('status-of-4-digits', '500', 'HTTP/1.1 2000 OK'),
  statusLine('status-099', '500', 'HTTP/1.1 099 No'),
  statusLine('status-negative', '500', 'HTTP/1.1 -20 No'),
  statusLine('status-missing', '500', 'HTTP/1.1'),
  statusLine('status-after-two-blanks', '500', 'HTTP/1.1  200 OK'),
  statusLine('reason-with-nul', '500', 'HTTP/1.1 200 O\0K'),
  statusLine('version-2.0', '500', 'HTTP/2.0 200 OK'),
  statusLine('version-1.2', '500', 'HTTP/1.2 200 OK'),
  statusLine('version-in-lower-case', '500', 'http/1.1 200 OK'),
  one('line-before-the-status', '500', `\r\n${whole}`),
  one('http-0.9', '500', '<html>hello</html>', { finish: 'end' }),
  one('http-2-frames', '500', '\0\0\0\x04\0\0\0\0\0'),
  one('http-2-preface', '500', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  one('another-protocol', '500', 'SSH-2.0-OpenSSH_9.2\r\n'),
  one('tls-alert', '500', '\x15\x03\x03\0\x02\x02\x28', { finish: 'end' }),
];

const informational: readonly HostileAnswer[] = [
  one('informational-100-unasked', '200 whole', `HTTP/1.1 100 Continue\r\n\r\n${whole}`, { reused: true }),
  one('informational-103', '200 whole', `HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n${whole}`, { reused: true }),
  endless('informational-flood', '500', ['HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n'.repeat(64)]),
  endless('informational-flood-of-large-heads', '500', [
    `HTTP/1.1 103 Hints\r\nLink: ${'x'.repeat(60_000)}\r\n\r\n`,
  ]),
  one('informational-and-no-answer', '502', 'HTTP/1.1 103 Hints\r\n\r\n', { finish: 'end' }),
  one(
    'switch-unasked',
    '500',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc',
  ),
];

const more: readonly HostileAnswer[] = [
  one('bytes-after-the-answer', '200 whole', `${whole}xyz`),
  one('second-answer', '200 whole', whole + second),
  one('second-answer-after-chunks', '200 whole', `${chunked}5\r\nhello\r\n0\r\n\r\n${second}`),
  one('close-and-more-bytes', '200 whole', `${five}Connection: close\r\n\r\nhello${second}`),
  one('head-with-body', '200 whole', whole, { asked: 'HEAD', body: '' }),
  one('head-with-chunks', '200 whole', `${chunked}5\r\nhello\r\n0\r\n\r\n`, { asked: 'HEAD', body: '' }),
  one('head-with-second-answer', '200 whole', `${five}\r\n${second}`, { asked: 'HEAD', body: '' }),
  one('status-204-with-body', '204 whole', 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello', { body: '' }),
  one(
    'status-204-with-chunks',
    '204 whole',
    `HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    { body: '' },
  ),
  one('status-304-with-body', '304 whole', 'HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\nhello', {
    body: '',
  }),
  one('early-answer', '200 whole', whole, { asked: 'POST' }),
  one('early-answer-and-end', '200 whole', whole, { asked: 'POST', finish: 'end' }),
  one('early-nonsense', '500', 'nonsense', { asked: 'POST' }),
];

const ends: readonly HostileAnswer[] = [
  one('end-at-once', '502', '', { finish: 'end' }),
  one('reset-at-once', '502', '', { finish: 'reset' }),
  one('end-within-status-line', '500', 'HTTP/1.1 2', { finish: 'end' }),
  one('end-within-head', '500', `${ok}Content-Le`, { finish: 'end' }),
  one('end-before-body', 'cut', `${five}\r\n`, { finish: 'end' }),
  one('end-within-body', 'cut', `${five}\r\nhel`, { finish: 'end' }),
  one('reset-within-body', 'cut', `${five}\r\nhel`, { finish: 'reset' }),
  one('end-within-chunk', 'cut', `${chunked}5\r\nhel`, { finish: 'end' }),
  one('reset-within-chunk', 'cut', `${chunked}5\r\nhel`, { finish: 'reset' }),
  one('until-close', '200 whole', `${ok}\r\nhello`, { finish: 'end' }),
  several('until-close-and-reset', 'cut', [`${ok}\r\nhello`, ''], { finish: 'reset', pause: 30 }),
  one('http-1.0', '200 whole', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  several('one-byte-at-a-time', '200 whole', Array.from(whole), { reused: true }),
  several('chunks-one-byte-at-a-time', '200 whole', Array.from(`${chunked}5\r\nhello\r\n0\r\n\r\n`), {
    reused: true,
  }),
];

const stalls: readonly HostileAnswer[] = [
  one('silence', '504', ''),
  one('stall-within-status-line', '504', 'HTTP/1.1 2'),
  one('stall-within-head', '504', `${ok}Content-Le`),
  one('stall-before-the-end-of-head', '504', `${five}\r`),
  one('stall-after-informational', '504', 'HTTP/1.1 103 Hints\r\n\r\n'),
  endless('head-drips', '504', [ok, 'x-a: b\r\n'], { pause: 50 }),
  one('stall-before-body', '200 open', `${five}\r\n`),
  one('stall-within-body', '200 open', `${five}\r\nhel`),
  one('stall-within-chunk-size', '200 open', `${chunked}5`),
  one('stall-before-last-chunk', '200 open', `${chunked}5\r\nhello\r\n`),
  one('stall-within-trailers', '200 open', `${chunked}5\r\nhello\r\n0\r\na: b`),
];

/** To nobody's harm while nobody else has got the connection: not for a crowd. */
export const lateAnswers: readonly HostileAnswer[] = [
  several('second-answer-a-turn-later', '200 whole', [whole, second]),
  several('second-answer-30-ms-later', '200 whole', [whole, second], { pause: 30 }),
  several('nonsense-30-ms-later', '200 whole', [whole, 'nonsense'], { pause: 30 }),
];

export const hostileAnswers: readonly HostileAnswer[] = [
  ...framing,
  ...chunks,
  ...heads,
  ...statusLines,
  ...informational,
  ...more,
  ...ends,
  ...stalls,
];

function several(name: string, gets: Outcome, pieces: readonly string[], more: More = {}): HostileAnswer {
  return {
    name,
    pieces,
    gets,
    finish: 'stay',
    body: 'hello',
    reused: false,
    asked: 'GET',
    pause: 0,
    ...more,
  };
}

function one(name: string, gets: Outcome, bytes: string, more: More = {}): HostileAnswer {
  return several(name, gets, [bytes], more);
}

function endless(name: string, gets: Outcome, pieces: readonly string[], more: More = {}): HostileAnswer {
  return several(name, gets, pieces, { finish: 'repeat', ...more });
}

/** This line, and a head and body of which nothing is wrong. */
function statusLine(name: string, gets: Outcome, line: string): HostileAnswer {
  return one(name, gets, `${line}\r\nContent-Length: 5\r\n\r\nhello`);
}

/** A head with these lines and a body of five bytes. */
function head(name: string, gets: Outcome, lines: string): HostileAnswer {
  const length = /content-length|transfer-encoding/i.test(lines) ? '' : 'Content-Length: 5\r\n';
  return one(name, gets, `${ok}${length}${lines}\r\n\r\nhello`);
}

/** A head just below its bound whose Connection line names as many fields as it can. */
function nominating(names: number): string {
  const lines = Array.from({ length: 2_000 }, (_, i) => `h${i.toString(36)}: 1\r\n`).join('');
  return `${five}Connection: ${'a,'.repeat(names)}b\r\n${lines}\r\nhello`;
}
