// What comes before a request or is asked beside it: PROXY preludes, other protocols, HTTP/1.0, Expect, Upgrade.

import {
  chunkedServed,
  either,
  type HostileCase,
  hostile,
  last,
  loose,
  type Outcomes,
  refused,
  served,
  write,
} from './case.ts';

const handshake = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const chunks = '4\r\nabcd\r\n0\r\n\r\n';
const plainGet = 'GET /case/@ID@ HTTP/1.1';

export const preludeCases: readonly HostileCase[] = [
  ...proxyPreludes().map(([name, prelude]) =>
    // Whatever becomes of it: the recorder accepts no address but the true one.
    hostile(`a PROXY prelude, ${name}`, prelude + write({ line: plainGet }), {
      uws: loose,
      node: refused(),
    }),
  ),
  ...['PROXY TCP4 1.2.3.4 127.0.0.1 80 80\r\n', 'PROXY UNKNOWN\r\n', 'PROXY TCP6 ::1 ::1 1 2\r\n'].map(
    (prelude) =>
      hostile(
        `the prelude ${JSON.stringify(prelude)}`,
        prelude + write({ line: plainGet }),
        refused(400, 505),
      ),
  ),
  hostile(
    'HTTP/2 by prior knowledge, and then HTTP/1',
    `PRI * HTTP/2.0\r\n\r\n${write({ line: plainGet })}`,
    refused(400, 505),
  ),
  hostile(
    'an answer instead of a request',
    `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${write({ line: plainGet })}`,
    refused(400, 505),
  ),
  ...http10Cases(),
  ...[
    '100-continue',
    '100-Continue',
    '100-continue, 100-continue',
    '200-ok',
    'x',
    '',
    '100-continue;q=1',
    ' 100-continue ',
  ].map((value) =>
    hostile(`Expect: ${value}`, write({ fields: [`Expect: ${value}`, 'Content-Length: 4'], body: 'abcd' }), {
      uws: either('abcd'),
      node:
        value.trim().toLowerCase() === '100-continue'
          ? served('abcd')
          : { ...either('abcd'), statuses: [400, 417] },
    }),
  ),
  hostile(
    'two Expects',
    write({ fields: ['Expect: 100-continue', 'Expect: x', 'Content-Length: 4'], body: 'abcd' }),
    { ...either('abcd'), statuses: [400, 417] },
  ),
  hostile('Expect without a body', write({ line: plainGet, fields: ['Expect: 100-continue'] }), either()),
  hostile(
    'Expect with chunks',
    write({ fields: ['Expect: 100-continue', 'Transfer-Encoding: chunked'], body: chunks }),
    { uws: either('abcd'), node: served('abcd') },
  ),
  ...upgradeCases(),
  ...[
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'X-Forwarded-For',
    'X-Real-Ip',
    'Content-Length, Host, Transfer-Encoding',
    'close, Content-Length',
  ].map((names) =>
    hostile(
      `Connection: ${names}`,
      write({ fields: [`Connection: ${names}`, 'Content-Length: 4'], body: 'abcd' }),
      names.includes('close') ? last('abcd') : served('abcd'),
    ),
  ),
  ...['Connection: x\x00y', 'Connection: a\r\n b'].map((field) =>
    hostile(JSON.stringify(field), write({ fields: [field] }), refused()),
  ),
  ...[
    'TE: chunked',
    'TE: trailers, chunked',
    'Trailer: Content-Length',
    'Trailer: Host',
    'Keep-Alive: 1',
    'Proxy-Connection: keep-alive',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ].map((field) =>
    hostile(field, write({ fields: [field, 'Content-Length: 4'], body: 'abcd' }), served('abcd')),
  ),
  ...[
    'X_Forwarded_For: 1.2.3.4',
    'X-Forwarded-For: 1.2.3.4',
    'X.Real.Ip: 1.2.3.4',
    'X-Real-Ip: 1.2.3.4',
    'Forwarded: for=1.2.3.4',
  ].map((field) => hostile(`a client that says ${field}`, write({ fields: [field] }), served())),
  hostile(
    'a head with 2,000 fields',
    write({ fields: Array.from({ length: 2000 }, (_, i) => `X-${i}: 1`) }),
    refused(431, 400),
  ),
  hostile('a field of 2 MB', write({ fields: [`X-A: ${'a'.repeat(2_000_000)}`] }), refused(431, 400)),
  hostile('a name of 100 KB', write({ fields: [`${'X'.repeat(100_000)}: 1`] }), either()),
  hostile('a method of 100 bytes', write({ line: `${'P'.repeat(100)} /case/@ID@ HTTP/1.1` }), refused(400)),
];

function http10Cases(): HostileCase[] {
  const line = 'POST /case/@ID@ HTTP/1.0';
  const both = (node: Outcomes & { readonly kind?: string }): Outcomes => ({
    uws: refused(400, 505),
    node: node as never,
  });
  return [
    hostile('HTTP/1.0', write({ line: 'GET /case/@ID@ HTTP/1.0' }), both(last())),
    hostile(
      'HTTP/1.0 that stays',
      write({ line: 'GET /case/@ID@ HTTP/1.0', fields: ['Connection: keep-alive'] }),
      both(served()),
    ),
    hostile(
      'HTTP/1.0 with a length',
      write({ line, fields: ['Content-Length: 4'], body: 'abcd' }),
      both(last('abcd')),
    ),
    hostile('HTTP/1.0 without a Host', write({ line, host: '' }), both(last())),
    hostile(
      'HTTP/1.0 with two lengths',
      write({ line, fields: ['Content-Length: 4', 'Content-Length: 5'], body: 'abcd' }),
      both(refused()),
    ),
    hostile(
      'HTTP/1.0 with chunks',
      write({ line, fields: ['Transfer-Encoding: chunked'], body: chunks }),
      both(refused()),
    ),
    hostile(
      'HTTP/1.0 with both',
      write({ line, fields: ['Transfer-Encoding: chunked', 'Content-Length: 4'], body: chunks }),
      both(refused()),
    ),
    hostile(
      'HTTP/1.0 with chunks that stays',
      write({ line, fields: ['Connection: keep-alive', 'Transfer-Encoding: chunked'], body: chunks }),
      both(refused()),
    ),
    hostile('HTTP/1.0 with two Hosts', write({ line, host: 'Host: a\r\nHost: b' }), both(refused())),
  ];
}

function upgradeCases(): HostileCase[] {
  const withBody: readonly (readonly [string, string])[] = [
    ['Content-Length: 4', 'abcd'],
    ['Transfer-Encoding: chunked', chunks],
  ];
  const asks = (fields: readonly string[], body = ''): string => write({ line: plainGet, fields, body });
  return [
    // The recorder switches to nothing: the server's own answer is passed on.
    hostile('an upgrade', asks(handshake), { uws: served(), node: last() }),
    ...withBody.map(([field, body]) =>
      hostile(`an upgrade with ${field}`, asks([...handshake, field], body), refused()),
    ),
    ...withBody.map(([field, body]) =>
      hostile(`${field} and then an upgrade`, asks([field, ...handshake], body), refused()),
    ),
    hostile('an upgrade with an empty body', asks([...handshake, 'Content-Length: 0']), either()),
    hostile('an upgrade and bytes behind it', asks(handshake, '\x81\x85\x00\x00\x00\x00hello'), {
      ...either(),
      statuses: [400, 505],
    }),
    hostile(
      'an upgrade and a request behind it',
      asks(handshake, 'GET /smuggled/@ID@ HTTP/1.1\r\nHost: a.test\r\n\r\n'),
      { ...either(), statuses: [400, 505] },
    ),
    hostile(
      'an upgrade by POST with a body',
      write({ fields: [...handshake, 'Content-Length: 4'], body: 'abcd' }),
      either(),
    ),
    hostile(
      'h2c',
      asks(['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__']),
      served(),
    ),
    ...['h2c', 'x'].flatMap((protocol) =>
      withBody.map(([field, body]) =>
        hostile(
          `an upgrade to ${protocol} with ${field}`,
          asks([`Upgrade: ${protocol}`, 'Connection: Upgrade', field], body),
          either('abcd'),
        ),
      ),
    ),
    hostile('two protocols', asks(['Upgrade: websocket, h2c', 'Connection: Upgrade']), either()),
    hostile('Upgrade alone', asks(['Upgrade: websocket']), served()),
    hostile('Connection: upgrade alone', asks(['Connection: Upgrade']), served()),
    hostile(
      'half a handshake with chunks',
      asks(['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Transfer-Encoding: chunked'], chunks),
      chunkedServed('abcd'),
    ),
  ];
}

/** Version 2 in its forms: of an address, of none, too short, with what follows it left out. */
function proxyPreludes(): readonly (readonly [string, string])[] {
  const signature = '0d0a0d0a000d0a515549540a';
  const text = (hex: string): string => Buffer.from(signature + hex, 'hex').toString('latin1');
  return [
    ['TCP over IPv4', text('2111000c0102030408080808' + '00500050')],
    ['TCP over IPv6', text(`21210024${'20010db8'.repeat(8)}00500050`)],
    ['LOCAL', text('20000000')],
    ['UDP', text('2112000c010203040808080800500050')],
    ['with more behind the address', text('21110010010203040808080800500050' + '04000100')],
    ['too short', text('2111000401020304')],
    ['too long', text('2111ffff0102030408080808' + '00500050')],
    ['of version 3', text('3111000c010203040808080800500050')],
    ['the signature alone', text('')],
    ['twice', text('2111000c010203040808080800500050').repeat(2)],
  ];
}
