// Wrong answers of a server to the handshake of a WebSocket.

import type { HostileAnswer, Outcome } from './hostile-answers.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\n';
const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

export const hostileUpgrades: readonly HostileAnswer[] = [
  answer('200-in-place-of-101', '200 whole', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello']),
  answer('200-with-upgrade', '200 whole', [`HTTP/1.1 200 OK\r\n${upgrade}Content-Length: 5\r\n\r\nhello`]),
  answer('101-without-upgrade', '500', [`${switching}\r\n`]),
  answer('101-without-accept', '500', [`${switching}${upgrade}\r\n`]),
  answer('101-with-a-wrong-accept', '500', [`${switching}${upgrade}Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n`]),
  answer('101-to-another-protocol', '500', [`${switching}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`]),
  answer('101-in-http-1.0', '500', [`HTTP/1.0 101 Switching Protocols\r\n${upgrade}\r\n`]),
  answer('refusal', '403 whole', ['HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhello']),
  answer('refusal-and-more', '403 whole|500', ['HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhelloSECRET']),
  answer('refusal-cut', '502', ['HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nhello'], 'end'),
  answer(
    'refusal-cut-chunks',
    '502',
    ['HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    'end',
  ),
  answer('refusal-endless', '500', ['HTTP/1.1 403 No\r\n\r\n', 'x'.repeat(16_384)], 'repeat'),
  answer('refusal-with-two-lengths', '500', [
    'HTTP/1.1 403 No\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello',
  ]),
  answer('nonsense', '500', ['nonsense\r\n\r\n']),
  answer('head-endless', '500', ['HTTP/1.1 101 Switching Protocols\r\nX-A: ', 'x'.repeat(16_384)], 'repeat'),
  answer('informational-flood', '500', ['HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n'.repeat(64)], 'repeat'),
  answer('end-at-once', '502', [''], 'end'),
  answer('reset-at-once', '502', [''], 'reset'),
  answer('end-within-head', '502', [switching], 'end'),
  answer('silence', '504', ['']),
  answer('stall-within-head', '504', [switching]),
  { ...answer('head-drips', '504', [switching, 'x-a: b\r\n'], 'repeat'), pause: 50 },
];

function answer(
  name: string,
  gets: Outcome,
  pieces: readonly string[],
  finish: HostileAnswer['finish'] = 'stay',
): HostileAnswer {
  return { name, gets, pieces, finish, body: 'hello', reused: false, asked: 'GET', pause: 0 };
}
