// Where a request ends: whatever a client writes, one request is one request for everybody behind the door.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { onlyUws } from '../support/engine.ts';
import { type FrontDoor, openFrontDoor, valuesOf } from '../support/front-door.ts';
import { eventually } from '../support/gateway.ts';
import { hostsOfNoMeaning } from '../support/odd-hosts.ts';
import { bodyOfAnswer, headerOf, requestText } from '../support/raw.ts';

const smuggled = requestText('GET /health/smuggled');
const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('the front door on raw bytes', () => {
  let door: FrontDoor;
  before(async () => {
    door = await openFrontDoor();
  });
  beforeEach(() => door.forget());
  after(() => door?.stop());

  /** Refused with 400 and the connection closed; with a tail in the same write, cut without an answer. */
  async function assertRefused(headers: readonly string[], body: string, what: string): Promise<void> {
    const alone = await door.send(requestText('POST /health', headers, body));
    assert.deepEqual(alone.statuses, [400], what);
    assert.equal(alone.closed, true, what);
    assert.equal(headerOf(alone.text, 'connection'), 'close', what);
    for (const parts of [
      [requestText('POST /health', headers, body + smuggled)],
      [requestText('POST /health', headers, body), smuggled],
    ]) {
      const followed = await door.send(parts);
      assert.ok(followed.statuses.length <= 1 && followed.statuses.every((status) => status === 400), what);
      assert.equal(followed.closed, true, what);
    }
    assert.deepEqual(door.origin, [], what);
  }

  test('two Content-Lengths, equal or not, are refused and their tail is no request', async () => {
    await assertRefused(['Content-Length: 4', 'Content-Length: 4'], 'abcd', 'equal');
    await assertRefused(['Content-Length: 4', 'Content-Length: 40'], 'abcd', 'different');
    await assertRefused(['Content-Length: 4, 4'], 'abcd', 'a list');
  });

  test('a Content-Length that is not digits alone is refused', async () => {
    for (const value of ['', '+5', '-1', '0x5', '5e0', '5 5', '5;', '99999999999999999999']) {
      await assertRefused([`Content-Length: ${value}`], '', JSON.stringify(value));
    }
  });

  test('a Transfer-Encoding other than one `chunked` is refused', async () => {
    for (const value of [
      'chunked, identity',
      'identity, chunked',
      'identity',
      'gzip',
      '',
      'xchunked',
      'chunked chunked',
      '\x0bchunked',
      'chunked;q=1',
    ]) {
      await assertRefused([`Transfer-Encoding: ${value}`], '0\r\n\r\n', JSON.stringify(value));
    }
    await assertRefused(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n', 'twice');
    await assertRefused(['Transfer-Encoding : chunked'], '0\r\n\r\n', 'a space before the colon');
  });

  test('Transfer-Encoding together with Content-Length is refused', async () => {
    await assertRefused(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n', 'TE.CL');
    await assertRefused(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n', 'CL.TE');
    await assertRefused(['Transfer-Encoding:', 'Content-Length: 4'], 'abcd', 'empty TE');
  });

  test(
    'a chunked body reaches the origin whole and its connection is closed after the answer',
    onlyUws('such a connection stays'),
    async () => {
      for (const value of ['chunked', 'Chunked', 'CHUNKED']) {
        const body = '3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n';
        const answer = await door.send(requestText('POST /health', [`Transfer-Encoding: ${value}`], body));
        assert.deepEqual(answer.statuses, [200]);
        assert.equal(headerOf(answer.text, 'connection'), 'close');
        assert.equal(answer.closed, true);
        assert.equal(door.origin.at(-1)?.body, 'abcdefg');
      }
    },
  );

  test(
    'a chunk with an extension or a broken length is refused',
    onlyUws('extensions are read over'),
    async () => {
      for (const body of [
        '3;x=y\r\nabc\r\n0\r\n\r\n',
        'x\r\nabc\r\n0\r\n\r\n',
        '-3\r\nabc\r\n',
        'ffffffffffffffff1\r\n',
      ]) {
        const answer = await door.send(
          requestText('POST /health', ['Transfer-Encoding: chunked'], body + smuggled),
        );
        assert.ok(answer.statuses.length <= 1 && !answer.statuses.includes(200), body);
        assert.equal(answer.closed, true, body);
      }
      assert.ok(door.origin.every((one) => one.body === '' && one.target === '/health'));
    },
  );

  test(
    'a request behind a chunked body is never run',
    onlyUws('it is a request of its own there'),
    async () => {
      const head = requestText('POST /health', ['Transfer-Encoding: chunked']);
      for (const parts of [
        [`${head}3\r\nabc\r\n0\r\n\r\n${smuggled}`],
        [`${head}3\r\nabc\r\n0\r\n${smuggled}`],
        [`${head}0\r\nX: ${smuggled}`],
        [`${head}3\r\nabc\r\n0\r\n\r\n`, smuggled],
        [head, '3\r\nabc\r\n', '0\r\n', smuggled],
        [head, '3\r\nabc\r\n0\r\n\r\n', smuggled],
      ]) {
        const answer = await door.send(parts);
        assert.ok(answer.statuses.length <= 1, JSON.stringify(parts));
        assert.equal(answer.closed, true, JSON.stringify(parts));
      }
      assert.deepEqual(
        door.origin.filter((one) => one.target.includes('smuggled')),
        [],
      );
    },
  );

  test('trailers reach nobody: the connection ends there', onlyUws('the connection stays'), async () => {
    const body = '3\r\nabc\r\n0\r\nX-User-Id: 1\r\n\r\n';
    const answer = await door.send(requestText('POST /health', ['Transfer-Encoding: chunked'], body));
    assert.equal(answer.closed, true);
    assert.ok(!JSON.stringify(door.origin).includes('X-User-Id'));
  });

  test(
    'a request with a body that is answered from inside never lets its tail run',
    onlyUws('a body that is whole ends nothing'),
    async () => {
      const targets: readonly (readonly [string, number])[] = [
        ['/old', 308],
        ['/nothing', 404],
        ['/nowhere', 503],
        ['/api', 401],
      ];
      for (const [target, status] of targets) {
        for (const body of [
          ['Content-Length: 3', 'abc'],
          ['Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
        ] as const) {
          const whole = requestText(`POST ${target}`, [body[0]], body[1]);
          const alone = await door.send(whole);
          assert.deepEqual(alone.statuses, [status], target);
          if (body[0] !== 'Content-Length: 3') assert.equal(alone.closed, true, target);
          const followed = await door.send(whole + smuggled);
          assert.ok(followed.statuses.length <= 1, target);
          assert.equal(followed.closed, true, target);
        }
        const unfinished = await door.send(requestText(`POST ${target}`, ['Content-Length: 300'], 'abc'));
        assert.deepEqual(unfinished.statuses, [status], target);
        assert.equal(headerOf(unfinished.text, 'connection'), 'close', target);
        assert.equal(unfinished.closed, true, target);
      }
      assert.deepEqual(door.origin, []);
    },
  );

  test('a GET may have a body, and the next request on the connection is its own', async () => {
    const first = requestText('GET /health/1', ['Content-Length: 3'], 'abc');
    const answer = await door.send([first, requestText('GET /health/2')]);
    assert.deepEqual(answer.statuses, [200, 200]);
    assert.deepEqual(
      door.origin.map((one) => [one.target, one.body]),
      [
        ['/health/1', 'abc'],
        ['/health/2', ''],
      ],
    );
  });

  test('an upgrade with a body is refused and reaches no server', async () => {
    for (const [header, body] of [
      ['Content-Length: 4', 'abcd'],
      ['Transfer-Encoding: chunked', '4\r\nabcd\r\n0\r\n\r\n'],
    ] as const) {
      const answer = await door.send(requestText('GET /ws/a', [...upgrade, header], body));
      assert.deepEqual(answer.statuses, [400]);
      assert.equal(answer.closed, true);
      const followed = await door.send(requestText('GET /ws/a', [...upgrade, header], body + smuggled));
      assert.ok(followed.statuses.length <= 1);
      assert.equal(followed.closed, true);
    }
    assert.deepEqual(door.origin, []);
  });

  test(
    'half a handshake is a request like any other',
    onlyUws('what follows a chunked body is a request there'),
    async () => {
      const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
      for (const [line, headers] of [
        ['GET /health', [key]],
        ['GET /health', ['Upgrade: websocket', key]],
        ['GET /health', ['Upgrade: websocket', 'Connection: Upgrade']],
        [
          'GET /health',
          ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
        ],
        ['POST /health', ['Upgrade: websocket', 'Connection: Upgrade', key]],
        ['POST /health', ['Upgrade: h2c', 'Connection: Upgrade', 'Content-Length: 0']],
      ] as const) {
        door.forget();
        const answer = await door.send(requestText(line, headers));
        assert.deepEqual(answer.statuses, [200], String(headers));
        const [seen] = door.origin;
        assert.deepEqual(valuesOf(seen?.raw ?? [], 'upgrade'), []);
      }
      door.forget();
      const answer = await door.send(requestText('GET /health', [key, 'Content-Length: 3'], 'abc'));
      assert.deepEqual(answer.statuses, [200]);
      assert.equal(door.origin[0]?.body, 'abc');
      await door.send(
        requestText('GET /health', [key, 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
      );
      assert.ok(!JSON.stringify(door.origin).includes('smuggled'));
    },
  );

  test('answers without a body have no body bytes', async () => {
    const head = await door.send(requestText('HEAD /health'));
    assert.deepEqual(head.statuses, [200]);
    assert.equal(bodyOfAnswer(head.text), '');
    assert.equal(headerOf(head.text, 'content-length'), '15');
    for (const target of ['/nothing', '/api', '/old', '/nowhere']) {
      const inside = await door.send(requestText(`HEAD ${target}`));
      assert.equal(bodyOfAnswer(inside.text), '', target);
    }
    const two = await door.send([requestText('HEAD /nothing'), requestText('GET /health')]);
    assert.deepEqual(two.statuses, [404, 200]);
    assert.ok(two.text.endsWith('from the origin'));
  });

  test(
    'a streamed answer to a chunked request is whole and says that the connection ends',
    onlyUws('the connection stays'),
    async () => {
      const answer = await door.send(
        requestText('POST /health/stream', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n'),
      );
      assert.deepEqual(answer.statuses, [200]);
      assert.equal(headerOf(answer.text, 'connection'), 'close');
      assert.equal(unchunk(bodyOfAnswer(answer.text)), 'from the origin');
    },
  );

  test(
    '204 and 304 have no body bytes, on connections that stay and on those that end',
    onlyUws('chunked requests end no connection there'),
    async () => {
      for (const status of [204, 304]) {
        const stays = await door.send(
          [requestText(`GET /health/status/${status}`), requestText('GET /health')],
          { quiet: 60 },
        );
        assert.deepEqual(stays.statuses, [status, 200]);
        const ends = await door.send(
          requestText(`POST /health/status/${status}`, ['Transfer-Encoding: chunked'], '0\r\n\r\n'),
        );
        assert.deepEqual(ends.statuses, [status]);
        assert.equal(bodyOfAnswer(ends.text), '');
        assert.equal(headerOf(ends.text, 'connection'), 'close');
      }
    },
  );

  test('a Host that has no one meaning is refused', async () => {
    for (const host of hostsOfNoMeaning) {
      const answer = await door.send(requestText('GET /health', [`Host: ${host}`]));
      assert.deepEqual(answer.statuses, [400], JSON.stringify(host));
      assert.equal(answer.closed, true, JSON.stringify(host));
    }
    for (const lines of ['', 'Host: a\r\nHost: a\r\n', 'Host: a\r\nHost: b\r\n', 'Host : a\r\n']) {
      const answer = await door.send(`GET /health HTTP/1.1\r\n${lines}\r\n`);
      assert.deepEqual(answer.statuses, [400], JSON.stringify(lines));
    }
    assert.deepEqual(door.origin, []);
  });

  test('bytes that may not stand in a target or a header are refused', async () => {
    for (const line of [
      'GET /health\x80',
      'GET /health/\xc3\xa9',
      'GET /health?\xff',
      'GET /health#x',
      'GET /health?a#b',
      'G"T /health',
      'G@T /health',
      ' /health',
    ]) {
      const answer = await door.send(requestText(line));
      assert.deepEqual(answer.statuses, [400], JSON.stringify(line));
      assert.equal(answer.closed, true);
    }
    for (const header of [
      'X-A: a\x00b',
      'X-A: a\nb',
      'X-A: a\x7fb',
      'X-A: a\x1bb',
      'X-A: a\r\n b',
      'X(A: a',
      'X A: a',
      'X-\xe9: a',
      'X-A',
    ]) {
      const answer = await door.send(requestText('GET /health', [header]));
      assert.deepEqual(answer.statuses, [400], JSON.stringify(header));
      assert.equal(answer.closed, true);
    }
    assert.deepEqual(door.origin, []);
  });

  test(
    'a bare CR in a header line is never answered and reaches nobody',
    onlyUws('it is answered with 400'),
    async () => {
      const answer = await door.send(requestText('GET /health', ['X-A: a\rX-B: b']), { deadline: 400 });
      assert.deepEqual(answer.statuses, []);
      assert.deepEqual(door.origin, []);
    },
  );

  test('what stands behind an empty header name reaches nobody, and hides no second request', async () => {
    const hidden = requestText(
      'GET /health/hidden',
      [': x', 'X-User-Id: 1', `Content-Length: ${smuggled.length}`],
      smuggled,
    );
    const answer = await door.send(hidden);
    assert.ok(answer.statuses.length <= 1);
    assert.ok(!/smuggled|X-User-Id/i.test(JSON.stringify(door.origin)));
  });

  test(
    'what this HTTP/1.1 door does not speak is refused',
    onlyUws('absolute-form targets and HTTP/1.0 are served'),
    async () => {
      for (const text of [
        requestText('GET http://app.test/health'),
        requestText('OPTIONS *'),
        requestText('CONNECT app.test:443'),
        'GET /health HTTP/1.0\r\nHost: app.test\r\n\r\n',
        'GET /health\r\n\r\n',
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      ]) {
        const answer = await door.send(text);
        assert.ok(
          answer.statuses.every((status) => status === 505 || status === 400),
          JSON.stringify(text),
        );
        assert.equal(answer.closed, true, JSON.stringify(text));
      }
      assert.deepEqual(door.origin, []);
    },
  );

  test(
    'the address in an unasked-for PROXY header is not believed',
    onlyUws('the whole header is refused'),
    async () => {
      const prelude = Buffer.from(
        '0d0a0d0a000d0a515549540a2111000c01020304080808080050' + '0050',
        'hex',
      ).toString('latin1');
      const answer = await door.send(prelude + requestText('GET /health'));
      assert.deepEqual(answer.statuses, [200]);
      assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-real-ip'), ['127.0.0.1']);
      assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-forwarded-for'), ['127.0.0.1']);
    },
  );

  test(
    'requests one after the other keep the connection, requests at once end it',
    onlyUws('requests at once are served in turn'),
    async () => {
      const apart = await door.send([requestText('GET /health/1')], { quiet: 100 });
      assert.equal(apart.closed, false);
      const atOnce = await door.send(requestText('GET /health/1') + requestText('GET /health/2'));
      assert.ok(atOnce.statuses.length <= 1);
      assert.equal(atOnce.closed, true);
      assert.ok(!door.origin.some((one) => one.target === '/health/2'));
    },
  );

  test('a client that leaves in the middle leaves nothing behind', async () => {
    await leave('GET /health HTTP/1.1\r\nHost: app.t');
    await leave(
      requestText('POST /health/half', ['Content-Length: 100000'], 'x'.repeat(40_000)),
      () => door.origin.length > 0,
    );
    await eventually(
      'the upstream request is cut',
      () => door.origin.length === 1 && door.origin[0]?.cut === true,
    );
    await leave(
      requestText('POST /health/half', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n'),
      () => door.origin.length > 1,
    );
    await eventually('the chunked one is cut', () => door.origin[1]?.cut === true);
    // Gone before a server was even asked: the worker must outlive each of these.
    const [worker] = door.gateway.workerPids();
    for (let i = 0; i < 40; i += 1) {
      const header = i % 2 === 0 ? 'Transfer-Encoding: chunked' : 'Content-Length: 90000';
      await leave(
        requestText('POST /health/half', [header], i % 2 === 0 ? '3\r\nabc\r\n' : 'x'.repeat(i * 700)),
      );
    }
    assert.deepEqual((await door.send(requestText('GET /health'))).statuses, [200]);
    assert.deepEqual(door.gateway.workerPids(), [worker]);
  });

  async function leave(text: string, ready: () => boolean = () => true): Promise<void> {
    const socket = connect(door.port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise<void>((resolve) => socket.write(text, 'latin1', () => resolve()));
    await eventually('the server is asked', ready);
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }
});

/** The content of a chunked body; throws when it is not one. */
function unchunk(text: string): string {
  let content = '';
  for (let at = 0; ; ) {
    const line = /^([0-9a-f]+)\r\n/i.exec(text.slice(at));
    assert.ok(line, `no chunk at ${at} of ${JSON.stringify(text)}`);
    const length = Number.parseInt(line[1] as string, 16);
    at += line[0].length;
    content += text.slice(at, at + length);
    assert.equal(text.slice(at + length, at + length + 2), '\r\n');
    at += length + 2;
    if (length === 0) {
      assert.equal(at, text.length);
      return content;
    }
  }
}
