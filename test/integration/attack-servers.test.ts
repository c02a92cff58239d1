// Servers that take a request and give up: it is sent again only where nobody can tell, and whole.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isNodeEngine } from '../support/engine.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { requestText, sendRaw } from '../support/raw.ts';
import { startWireServer, type WireServer } from '../support/wire.ts';

describe('servers that give up', () => {
  let servers: readonly WireServer[] = [];
  let onText: (socket: Socket, text: string, server: number) => void = () => {};
  let gateway: TestGateway;
  before(async () => {
    servers = await Promise.all(
      [0, 1, 2].map((i) => startWireServer((socket, text) => onText(socket, text, i))),
    );
    gateway = await startGateway({
      dynamic: {
        http: {
          routers: {
            three: { rule: 'Host(`app.test`)', service: 'three' },
            again: { rule: 'Host(`again.test`)', service: 'three', middlewares: ['again'] },
          },
          middlewares: { again: { retry: { attempts: 3, status: ['502'] } } },
          services: { three: { loadBalancer: { servers: servers.map(({ url }) => ({ url })) } } },
        },
      },
    });
  });
  after(async () => {
    await gateway.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });
  beforeEach(() => {
    onText = (socket) => void socket.resetAndDestroy();
  });

  /** Requests that any server has seen with this target, whole or not. */
  const seen = (target: string): readonly string[] =>
    servers.flatMap(({ connections }) =>
      connections.map((one) => one.text()).filter((text) => text.includes(` ${target} HTTP/1.1`)),
    );
  const send = (line: string, headers: readonly string[], body = '', host = 'app.test') =>
    sendRaw(gateway.port('web'), requestText(line, [`Host: ${host}`, 'Connection: close', ...headers], body));

  test('a GET that one server drops goes to one more, and no further', async () => {
    const { statuses } = await send('GET /get', []);
    assert.deepEqual(statuses, [502]);
    assert.equal(seen('/get').length, 2);
  });

  // Node's parser knows the methods there are.
  for (const method of ['POST', 'PATCH', 'LOCK', ...(isNodeEngine ? [] : ['FOO'])]) {
    test(`a ${method} that a server may have seen is not sent again, by anybody`, async () => {
      const target = `/${method.toLowerCase()}`;
      const { statuses } = await send(`${method} ${target}`, ['Content-Length: 4'], 'body');
      assert.deepEqual(statuses, [502]);
      assert.equal(seen(target).length, 1);
    });
  }

  test('a PUT is sent again whole, and one of which a part has gone through is not', async () => {
    const small = await send('PUT /small', ['Content-Length: 4'], 'body');
    assert.deepEqual(small.statuses, [502]);
    assert.ok(seen('/small').length === 2 && seen('/small').every((text) => text.endsWith('\r\n\r\nbody')));
    const size = 300_000;
    const large = await send('PUT /large', [`Content-Length: ${size}`], 'x'.repeat(size));
    assert.deepEqual(large.statuses, [502]);
    assert.equal(seen('/large').length, 1);
    const chunked = await send('PUT /chunked', ['Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n');
    assert.deepEqual(chunked.statuses, [502]);
    assert.equal(seen('/chunked').length, 1);
  });

  test('retry does not send again what went through in part, and a whole PUT attempts times', async () => {
    await send('PUT /again', ['Content-Length: 4'], 'body', 'again.test');
    assert.ok(seen('/again').length >= 3 && seen('/again').every((text) => text.endsWith('\r\n\r\nbody')));
    await send('PUT /stream', ['Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n', 'again.test');
    assert.equal(seen('/stream').length, 1);
    await send('POST /post-again', ['Content-Length: 4'], 'body', 'again.test');
    assert.equal(seen('/post-again').length, 1);
  });

  test('an answer that breaks off within its body is cut, and nothing of it is another answer', async () => {
    onText = (socket, text) => {
      if (!text.includes('\r\n\r\n')) return;
      socket.end(
        'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno',
      );
    };
    for (const host of ['app.test', 'again.test']) {
      const answer = await send('GET /cut', [], '', host);
      assert.equal(answer.closed, true);
      assert.match(answer.text, /^HTTP\/1\.1 200 OK\r\n[^]*?content-length: 100\r\n/i);
    }
  });

  test('two answers to one request: the second is nobody’s, however it arrives', async () => {
    const second = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET';
    const ways: ((socket: Socket) => void)[] = [
      (socket) => void socket.write(`HTTP/1.1 204 No Content\r\n\r\n${second}`),
      (socket) => {
        socket.write('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n');
        setImmediate(() => socket.write(second));
      },
      (socket) =>
        void socket.write(
          `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${second}`,
        ),
      (socket) =>
        void socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`),
    ];
    for (const [i, way] of ways.entries()) {
      onText = (socket, text) => {
        if (text.endsWith('\r\n\r\n')) way(socket);
      };
      for (let round = 0; round < 6; round += 1) {
        const answer = await sendRaw(
          gateway.port('web'),
          requestText(`${round % 2 === 0 ? 'GET' : 'HEAD'} /twice`, ['Connection: close']),
        );
        assert.doesNotMatch(answer.text, /SECRET/, String(i));
        assert.equal(answer.statuses.length, 1, `${i} ${answer.text}`);
      }
    }
    await eventually('the gateway still runs', () => gateway.workerPids().length === 1);
    assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught/i);
  });
});
