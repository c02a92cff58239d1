// What the node engine serves that the fast one does not, and that it refuses the same.

import assert from 'node:assert/strict';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, createServer as createTcp, type AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FrontDoor, openFrontDoor, valuesOf } from '../support/front-door.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { bodyOfAnswer, headerOf, requestText, sendRaw } from '../support/raw.ts';
import { openRaw, routesTo, startWireServer } from '../support/wire.ts';

const smuggled = requestText('GET /health/smuggled');

describe('the node engine at the front door', { timeout: 60_000 }, () => {
  let door: FrontDoor;
  before(async () => {
    door = await openFrontDoor({ entryPoint: { engine: 'node' } });
  });
  beforeEach(() => door.forget());
  after(() => door?.stop());

  test('a framing that has no one meaning is refused, and its tail is no request', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['Content-Length: 4', 'Content-Length: 4'], 'abcd'],
      [['Content-Length: 4', 'Content-Length: 40'], 'abcd'],
      [['Content-Length: 4, 4'], 'abcd'],
      ...['', '+5', '-1', '0x5', '5e0', '5 5', '5;', '99999999999999999999'].map(
        (value) => [[`Content-Length: ${value}`], ''] as const,
      ),
      ...['chunked, identity', 'identity, chunked', 'identity', 'gzip', '', 'xchunked', 'gzip, chunked'].map(
        (value) => [[`Transfer-Encoding: ${value}`], '0\r\n\r\n'] as const,
      ),
      ...['chunked chunked', '\x0bchunked', 'chunked;q=1'].map(
        (value) => [[`Transfer-Encoding: ${value}`], '0\r\n\r\n'] as const,
      ),
      [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
      [['Transfer-Encoding : chunked'], '0\r\n\r\n'],
      [['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'],
      [['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
      [['Transfer-Encoding:', 'Content-Length: 4'], 'abcd'],
    ];
    for (const [headers, body] of cases) {
      const what = JSON.stringify(headers);
      const alone = await door.send(requestText('POST /health', headers, body), { quiet: 60 });
      assert.deepEqual(alone.statuses, [400], what);
      assert.equal(alone.closed, true, what);
      assert.equal(headerOf(alone.text, 'connection'), 'close', what);
      const whole = requestText('POST /health', headers, body + smuggled);
      for (const parts of [[whole], [requestText('POST /health', headers, body), smuggled]]) {
        const followed = await door.send(parts, { quiet: 60 });
        assert.ok(followed.statuses.length <= 1 && followed.statuses.every((status) => status === 400), what);
        assert.equal(followed.closed, true, what);
      }
    }
    assert.deepEqual(door.origin, []);
  });

  test('a broken chunk ends the connection, and nothing of it is a whole body', async () => {
    for (const body of [
      'x\r\nabc\r\n0\r\n\r\n',
      '-3\r\nabc\r\n',
      'ffffffffffffffff1\r\n',
      '3\r\nabcd\r\n0\r\n\r\n',
    ]) {
      const answer = await door.send(
        requestText('POST /health', ['Transfer-Encoding: chunked'], body + smuggled),
      );
      assert.ok(!answer.statuses.includes(200), body);
      assert.equal(answer.closed, true, body);
    }
    assert.ok(door.origin.every((one) => one.target === '/health' && one.cut));
  });

  test('a chunked body keeps its connection, and its trailers reach nobody', async () => {
    const body = '3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nX-User-Id: 1\r\n\r\n';
    const answer = await door.send(
      requestText('POST /health', ['Transfer-Encoding: chunked'], body) + requestText('GET /health/next'),
    );
    assert.deepEqual(answer.statuses, [200, 200]);
    assert.deepEqual(
      door.origin.map(({ target, body: got }) => [target, got]),
      [
        ['/health', 'abcdefg'],
        ['/health/next', ''],
      ],
    );
    assert.ok(!JSON.stringify(door.origin).includes('X-User-Id'));
  });

  test('a large body of many chunks in one read arrives whole', async () => {
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const body = `${chunk.repeat(20)}0\r\n\r\n`;
    const answer = await door.send(requestText('POST /health', ['Transfer-Encoding: chunked'], body));
    assert.deepEqual(answer.statuses, [200]);
    assert.equal(door.origin[0]?.body.length, 20 * 0x4000);
  });

  test('requests at once are answered one after the other', async () => {
    const many = Array.from({ length: 40 }, (_, i) => requestText(`GET /health/${i}`)).join('');
    const answer = await door.send(many);
    assert.equal(answer.statuses.length, 40);
    assert.deepEqual(
      door.origin.map(({ target }) => target),
      Array.from({ length: 40 }, (_, i) => `/health/${i}`),
    );
    const tooMany = await door.send(requestText('GET /health/stream').repeat(400));
    assert.ok(tooMany.closed && tooMany.statuses.length < 400);
  });

  test('Connection: close is heeded and said, and what follows it is nobody’s', async () => {
    const answer = await door.send(requestText('GET /health', ['Connection: close']) + smuggled);
    assert.deepEqual(answer.statuses, [200]);
    assert.equal(headerOf(answer.text, 'connection'), 'close');
    assert.equal(door.origin.length, 1);
  });

  test('who closes the own half still gets the answer', async () => {
    const client = await openRaw(door.port);
    client.socket.end(requestText('GET /health/stream'));
    assert.match(await client.closed(), /origin/);
  });

  test('HTTP/1.0 is served, with and without Host, and closed unless asked', async () => {
    const bare = await sendRaw(door.port, 'GET /health HTTP/1.0\r\n\r\n');
    assert.match(bare.text, /^HTTP\/1\.1 200 /);
    assert.equal(bare.closed, true);
    assert.equal(valuesOf(door.origin[0]?.raw ?? [], 'host')[0], `127.0.0.1:${door.port}`);
    const streamed = await sendRaw(door.port, 'GET /health/stream HTTP/1.0\r\nHost: a\r\n\r\n');
    assert.equal(headerOf(streamed.text, 'transfer-encoding'), null);
    assert.equal(bodyOfAnswer(streamed.text), 'from the origin');
    const kept = await sendRaw(
      door.port,
      'GET /health HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
    );
    assert.equal(headerOf(kept.text, 'connection'), 'keep-alive');
    assert.equal(kept.closed, false);
    const chunked = 'POST /health HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    assert.deepEqual((await sendRaw(door.port, chunked)).statuses, [400]);
  });

  test('an absolute-form target is its path, and its authority is the Host', async () => {
    const answer = await door.send(requestText('GET http://other.test:81/health?a', ['Host: app.test']));
    assert.deepEqual(answer.statuses, [200]);
    assert.equal(door.origin[0]?.target, '/health?a');
    assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'host'), ['other.test:81']);
    for (const target of [
      'http://u@h/health',
      'http:///health',
      'ftp://a/health',
      'http://a,b/health',
      'health',
    ]) {
      assert.deepEqual((await door.send(requestText(`GET ${target}`))).statuses, [400], target);
    }
  });

  test('OPTIONS * is answered by the gateway, CONNECT refused', async () => {
    assert.deepEqual((await door.send(requestText('OPTIONS *'))).statuses, [200]);
    assert.deepEqual((await door.send(requestText('GET *'))).statuses, [400]);
    assert.deepEqual((await door.send(requestText('CONNECT app.test:443'))).statuses, [501]);
    assert.deepEqual(door.origin, []);
  });

  test('a refused head closes: Host, target, header bytes, too long', async () => {
    for (const text of [
      requestText('GET /health', ['Host: a,b']),
      requestText('GET /health', ['Host: u@h']),
      'GET /health HTTP/1.1\r\n\r\n',
      'GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
      requestText('GET /health\x80'),
      requestText('GET /health#x'),
      requestText('GET /health', ['X-A: a\x00b']),
      requestText('GET /health', ['X-A: a\x7fb']),
      requestText('GET /health', ['X-A: a\rX-B: b']),
      requestText('GET /health', ['X-A: a\r\n b']),
      requestText('GET /health', [': x']),
      'GET /health\r\n\r\n',
      'GET /health HTTP/1.2\r\nHost: a\r\n\r\n',
      'GET /health HTTP/3.0\r\nHost: a\r\n\r\n',
    ]) {
      const answer = await door.send(text, { quiet: 60 });
      assert.ok(
        answer.statuses.every((status) => status === 400 || status === 505),
        JSON.stringify(text),
      );
      assert.equal(answer.closed, true, JSON.stringify(text));
    }
    assert.deepEqual(door.origin, []);
  });

  test('bytes of a value arrive as they were sent, UTF-8 or not', async () => {
    await door.send(requestText('GET /health', ['X-A: caf\xe9 \xc3\xa9']));
    assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'x-a'), ['caf\xe9 \xc3\xa9']);
  });

  test('a body is asked for with 100 only when it is wanted', async () => {
    const wanted = await openRaw(door.port);
    wanted.write(requestText('POST /health', ['Content-Length: 3', 'Expect: 100-continue']));
    await wanted.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    wanted.write('abc');
    await wanted.until(/200 OK/);
    wanted.destroy();
    assert.equal(door.origin[0]?.body, 'abc');
    const refused = await door.send(requestText('POST /api', ['Content-Length: 3', 'Expect: 100-continue']));
    assert.deepEqual(refused.statuses, [401]);
    assert.equal(refused.closed, true);
  });

  test('who is answered before the body is there is not kept', async () => {
    const answer = await door.send(requestText('POST /nothing', ['Content-Length: 300'], 'abc'));
    assert.deepEqual(answer.statuses, [404]);
    assert.equal(headerOf(answer.text, 'connection'), 'close');
    assert.equal(answer.closed, true);
  });

  test('an offer of h2c is not taken up, and reaches nobody', async () => {
    const offer = ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    assert.deepEqual((await door.send(requestText('GET /health', offer))).statuses, [200]);
    assert.deepEqual(valuesOf(door.origin[0]?.raw ?? [], 'upgrade'), []);
  });
});

describe('protocols behind the node engine', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  const chat = createTcp((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const text = head.toString('latin1');
      const protocol = text.includes('/chat/wrong') ? 'other' : 'chat/1';
      if (text.includes('/chat/no')) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
        return;
      }
      socket.write(
        `HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX-From: chat\r\n\r\nhello`,
      );
      socket.on('data', (bytes) => socket.write(`<${bytes.toString('latin1')}>`));
    });
  });
  const seen: string[] = [];
  const origin = createHttp((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    seen.push(`${request.method} ${request.url} ${request.rawHeaders.join('|')}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (request.url === '/o/big') {
      const piece = Buffer.alloc(64 * 1024, 'x');
      for (let i = 0; i < 256; i++) {
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    } else if (request.url === '/o/never') {
      response.write('begun');
    } else {
      response
        .setHeader('Set-Cookie', ['a=1', 'b=2'])
        .setHeader('Connection', 'x-hop')
        .setHeader('X-Hop', '1');
      response.end(`${request.headers.cookie ?? ''}/${body.length}`);
    }
  }

  before(async () => {
    await Promise.all([chat, origin].map((one) => new Promise<void>((go) => one.listen(0, '127.0.0.1', go))));
    const url = (one: { address(): unknown }): string =>
      `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
    gateway = await startGateway({
      static: {
        entryPoints: {
          web: { engine: 'node', http2: { maxConcurrentStreams: 20 } },
          short: {
            transport: {
              keepAliveMaxRequests: 3,
              respondingTimeouts: { idleTimeout: '1s', readTimeout: '1s' },
            },
          },
        },
      },
      dynamic: routesTo({ chat: url(chat), o: url(origin) }),
    });
  });
  after(async () => {
    await gateway?.stop();
    origin.closeAllConnections();
    origin.close();
    chat.close();
  });

  function session(): ClientHttp2Session {
    const opened = connectHttp2(gateway.url('web'));
    opened.on('error', () => {});
    return opened;
  }

  async function ask(
    from: ClientHttp2Session,
    headers: Record<string, string | string[]>,
    body?: Buffer,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    const stream = from.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    stream.on('response', (got) => (head = got));
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return { status: Number(head[':status']), headers: head, body: Buffer.concat(chunks) };
  }

  test('any one protocol is tunnelled as bytes after the server’s 101', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write(requestText('GET /chat/room', ['Connection: Upgrade', 'Upgrade: Chat/1']));
    const head = await client.until(/hello/);
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(head, /x-from: chat\r\n/);
    assert.match(head, /upgrade: Chat\/1\r\n/);
    client.write('one\x00\xff');
    await client.until(/<one\x00/);
    client.socket.end();
    await client.closed();
  });

  test('a 101 for another protocol is 500, and the server’s refusal passes as it is', async () => {
    const offer = ['Connection: Upgrade', 'Upgrade: chat/1'];
    const wrong = await sendRaw(gateway.port('web'), requestText('GET /chat/wrong', offer));
    assert.deepEqual(wrong.statuses, [500]);
    const no = await sendRaw(gateway.port('web'), requestText('GET /chat/no', offer));
    assert.deepEqual(no.statuses, [403]);
    assert.equal(bodyOfAnswer(no.text), 'no');
    const early = await sendRaw(gateway.port('web'), `${requestText('GET /chat/room', offer)}early`);
    assert.ok(early.closed && !early.statuses.includes(101));
  });

  test('HTTP/2 by prior knowledge: many streams, cookies joined, answers without fields of the connection', async () => {
    const client = session();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ask(
          client,
          { ':method': i % 2 === 0 ? 'POST' : 'GET', ':path': `/o/${i}`, cookie: ['a=1', 'b=2'] },
          i % 2 === 0 ? Buffer.alloc(i) : undefined,
        ),
      ),
    );
    for (const [i, got] of answers.entries()) {
      assert.equal(got.status, 200);
      assert.equal(got.body.toString(), `a=1; b=2/${i % 2 === 0 ? i : 0}`);
      assert.deepEqual(got.headers['set-cookie'], ['a=1', 'b=2']);
      assert.equal(got.headers['x-hop'], undefined);
      assert.ok(got.headers.date);
    }
    assert.equal(answers[3]?.headers['content-length'], '10');
    assert.equal((await ask(client, { ':path': '/nothing' })).status, 404);
    assert.equal((await ask(client, { ':method': 'HEAD', ':path': '/o/head' })).body.length, 0);
    client.close();
  });

  test('HTTP/2 requests that have no one meaning are refused alone', async () => {
    const client = session();
    const before = seen.length;
    for (const headers of [
      { ':path': '/o/a', ':authority': 'a', host: 'b' },
      { ':path': '/o/a', ':authority': 'a,b' },
      { ':path': '/o/a#b' },
      { ':path': '/o/a', ':scheme': 'ftp' },
    ]) {
      assert.equal((await ask(client, headers)).status, 400, JSON.stringify(headers));
    }
    assert.equal(seen.length, before);
    assert.equal((await ask(client, { ':path': '/o/after' })).status, 200);
    client.close();
  });

  test('large HTTP/2 bodies pass both ways with back-pressure', async () => {
    const client = session();
    const up = await ask(client, { ':method': 'POST', ':path': '/o/up' }, Buffer.alloc(8 * 1024 * 1024));
    assert.equal(up.body.toString(), `/${8 * 1024 * 1024}`);
    const down = await ask(client, { ':path': '/o/big' });
    assert.equal(down.body.length, 256 * 64 * 1024);
    client.close();
  });

  test('a session that resets streams as fast as it opens them is ended, and others are served', async () => {
    const client = session();
    let goaway = 0;
    client.on('goaway', (code) => (goaway = code));
    const started = performance.now();
    while (!client.destroyed && performance.now() - started < 8_000) {
      for (let i = 0; i < 5 && !client.destroyed; i++) {
        const stream = client.request({ ':path': '/o/never' });
        stream.on('error', () => {});
        stream.once('response', () => stream.close(constants.NGHTTP2_CANCEL));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(client.destroyed, true);
    assert.ok(goaway === constants.NGHTTP2_ENHANCE_YOUR_CALM || goaway === constants.NGHTTP2_INTERNAL_ERROR);
    const other = session();
    assert.equal((await ask(other, { ':path': '/o/other' })).status, 200);
    other.close();
  });

  test('a connection ends after keepAliveMaxRequests, after idleTimeout, and when its head is slow', async () => {
    const port = gateway.port('short');
    const spent = await sendRaw(
      port,
      [1, 2, 3, 4].map((i) => requestText(`GET /o/${i}`)),
    );
    assert.deepEqual(spent.statuses, [200, 200, 200]);
    assert.equal(spent.closed, true);
    const idle = await openRaw(port);
    idle.write(requestText('GET /o/idle'));
    await idle.until(/200 OK/);
    await idle.closed(6_000);
    const slow = await openRaw(port);
    slow.write('GET /o/slow HTTP/1.1\r\nHost: a\r\nX-');
    await slow.closed(6_000);
    assert.match(slow.text(), /^HTTP\/1\.1 408 /);
    const silent = await openRaw(port);
    await silent.closed(6_000);
    assert.match(gateway.logs(), /is served by the node engine/);
  });

  test('an upload that stands still is cut after readTimeout', async () => {
    const client = await openRaw(gateway.port('short'));
    client.write(requestText('POST /o/up', ['Content-Length: 100'], 'abc'));
    await client.closed(6_000);
    assert.doesNotMatch(client.text(), /200 OK/);
  });

  test('a server’s 103 is not passed on', async () => {
    const server = await startWireServer((socket, text) => {
      if (text.endsWith('\r\n\r\n')) {
        socket.write(
          'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        );
      }
    });
    await gateway.writeDynamic(
      routesTo({
        early: server.url,
        chat: `http://127.0.0.1:${(chat.address() as AddressInfo).port}`,
        o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
      }),
    );
    const got = await sendRaw(gateway.port('web'), requestText('GET /early'));
    assert.deepEqual(got.statuses, [200]);
    await server.stop();
  });

  test('a client that goes away takes its request along', async () => {
    const client = connectTcp(gateway.port('web'), '127.0.0.1');
    client.on('error', () => {});
    client.write(requestText('GET /o/never'));
    await new Promise((resolve) => client.once('data', resolve));
    client.resetAndDestroy();
    await eventually('nobody is left', async () => {
      const open = await new Promise<number>((resolve) =>
        origin.getConnections((_, count) => resolve(count)),
      );
      return open < 20;
    });
  });
});
