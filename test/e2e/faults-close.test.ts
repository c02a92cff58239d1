// Who closes a connection says so, and an answer that has begun is finished whatever happens meanwhile.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { isRefused } from '../support/load.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

let origin: Origin;
const streams: ServerResponse[] = [];

before(async () => {
  origin = await startOrigin({
    answer: (request, response) => {
      if (request.url === '/stream') {
        response.write('first ');
        streams.push(response);
      } else if (request.url === '/chunked') {
        response.write('a');
        response.end('b');
      } else response.end('whole');
    },
  });
});
after(() => origin.stop());

const start = (): Promise<TestGateway> =>
  startGateway({
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
        services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });

describe('a client that asks for the connection to be closed', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await start();
  });
  after(() => gateway?.stop());

  for (const [name, path, line] of [
    ['a whole answer', '/', 'Connection: close'],
    ['a whole answer, asked for among other things', '/', 'Connection: TE, close'],
    ['a streamed answer', '/chunked', 'Connection: close'],
  ] as const) {
    test(`is told so with ${name}, once, and it is closed`, async () => {
      const answer = await untilClosed(gateway, `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${line}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 200/);
      assert.equal(answer.toLowerCase().split('\r\nconnection: close\r\n').length, 2, answer);
    });
  }

  test('is told so with a streamed answer, asked for among other things', async () => {
    const answer = await fetchRaw(
      'GET /chunked HTTP/1.1\r\nHost: a.test\r\nConnection: close, TE\r\n\r\n',
      '\r\n0\r\n\r\n',
    );
    assert.equal(answer.toLowerCase().split('\r\nconnection: close\r\n').length, 2, answer);
    assert.match(answer, /\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/, 'the body is whole and nothing else');
  });

  test('is told so with an answer to HEAD', async () => {
    const answer = await untilClosed(gateway, 'HEAD / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200[\s\S]*\r\nconnection: close\r\n[\s\S]*\r\n\r\n$/i);
  });

  function fetchRaw(text: string, ending: string): Promise<string> {
    return new Promise((resolve) => {
      let seen = '';
      const socket = connect(gateway.port('web'), '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
        if (seen.endsWith(ending)) socket.destroy();
      });
      socket.setTimeout(5_000, () => socket.destroy());
      socket.on('error', () => {});
      socket.on('close', () => resolve(seen));
    });
  }

  test('and one that does not is told nothing', async () => {
    const text = 'GET / HTTP/1.1\r\nHost: a.test\r\n';
    const answer = await untilClosed(gateway, `${text}\r\n`, (seen) =>
      seen.endsWith('whole') && seen.split('whole').length === 2 ? `${text}Connection: close\r\n\r\n` : null,
    );
    const [first = '', second = ''] = answer.split('whole');
    assert.doesNotMatch(first, /\r\nconnection:/i);
    assert.match(second, /\r\nconnection: close\r\n/i);
  });
});

test('an answer that streams while the gateway stops is finished', { timeout: 30_000 }, async () => {
  const gateway = await start();
  try {
    const answer = untilClosed(gateway, 'GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await eventually('the answer has begun', () => streams.length === 1);
    gateway.signal('SIGTERM');
    await gateway.waitForLog(/shutdown has begun/);
    await eventually('nobody is let in any more', () => isRefused(gateway.port('web')));
    streams[0]?.end('last');
    const text = await answer;
    assert.match(text, /first /);
    assert.match(text, /last\r\n0\r\n\r\n$/);
    assert.equal((await gateway.exited).code, 0);
  } finally {
    gateway.kill();
  }
});

/** Everything the gateway says until it closes, at most 8 s; `more` may say something in between. */
function untilClosed(
  gateway: TestGateway,
  text: string,
  more: (seen: string) => string | null = () => null,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const socket = connect(gateway.port('web'), '127.0.0.1', () => socket.write(text));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not closed: ${seen}`));
    }, 8_000);
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const next = more(seen);
      if (next !== null) socket.write(next);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(seen);
    });
  });
}
