// Servers, auth servers and clients that misbehave: the documented answer, and everybody else is served.

import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

/** What a server says, byte for byte, once it has a request; then it hangs up when `ends`. */
interface Script {
  readonly text: string;
  readonly ends: boolean;
}

let gateway: TestGateway;
let origin: Origin;
let raw: Server;
let script: Script = { text: '', ends: true };
const sockets = new Set<Socket>();

before(async () => {
  origin = await startOrigin();
  raw = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(script.text, 'latin1');
      if (script.ends) socket.end();
    });
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const [dead = 0] = await freePorts(1);
  const scripted = `http://127.0.0.1:${(raw.address() as AddressInfo).port}`;
  gateway = await startGateway({
    workers: 2,
    dynamic: {
      http: {
        routers: {
          fine: { rule: 'PathPrefix(`/fine`)', service: 'fine' },
          dead: { rule: 'Path(`/dead`)', service: 'dead' },
          raw: { rule: 'Path(`/raw`)', service: 'raw' },
          guarded: { rule: 'Path(`/guarded`)', service: 'fine', middlewares: ['dead-auth'] },
          'raw-guarded': { rule: 'Path(`/raw-guarded`)', service: 'fine', middlewares: ['raw-auth'] },
        },
        middlewares: {
          'dead-auth': { forwardAuth: { address: `http://127.0.0.1:${dead}/` } },
          'raw-auth': { forwardAuth: { address: `${scripted}/` } },
        },
        services: {
          fine: { loadBalancer: { servers: [{ url: origin.url }] } },
          dead: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${dead}` }] } },
          raw: { loadBalancer: { servers: [{ url: scripted }] } },
        },
      },
    },
  });
});
beforeEach(() => {
  script = { text: '', ends: true };
});
after(async () => {
  await gateway?.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => raw.close(resolve));
  await origin.stop();
});

describe('a server', { timeout: 60_000 }, () => {
  test('that is not there: 502', async () => {
    assert.deepEqual(await ask('/dead'), [502, 'Bad Gateway']);
    await gateway.waitForLog(/upstream\.connect_refused/);
    await assertOthersServed();
  });

  test('that hangs up before its answer: 502', async () => {
    script = { text: '', ends: true };
    assert.deepEqual(await ask('/raw'), [502, 'Bad Gateway']);
    await assertOthersServed();
  });

  test('that answers garbage: 500', async () => {
    for (const text of [
      'garbage\r\n\r\n',
      'SSH-2.0-OpenSSH_9.2\r\n',
      '\x00\x01\x02\x03\r\n\r\n',
      'HTTP/1.1 abc Nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello',
    ]) {
      script = { text, ends: true };
      const [status] = await ask('/raw');
      assert.ok(status === 500 || status === 502, `${JSON.stringify(text)}: ${status}`);
    }
    await assertOthersServed();
  });

  test('that stops in the middle of a body: the connection is cut, never an end that looks whole', async () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk\r\n',
    ]) {
      script = { text, ends: true };
      const answer = await exchange('GET /raw HTTP/1.1\r\nHost: a.test\r\n\r\n');
      assert.match(answer, /^(HTTP\/1\.1 (200|50[02])|$)/);
      const isWhole =
        /^HTTP\/1\.1 200[\s\S]*\r\n0\r\n\r\n$/.test(answer) || /content-length: 9\r\n/i.test(answer);
      assert.ok(!isWhole, JSON.stringify(answer));
    }
    await assertOthersServed();
  });
});

describe('an auth server', { timeout: 60_000 }, () => {
  test('that is not there: 500 without a body, and no request passes', async () => {
    const before = origin.requests.length;
    assert.deepEqual(await ask('/guarded'), [500, '']);
    assert.equal(origin.requests.length, before);
    await gateway.waitForLog(/auth\.unreachable/);
    await assertOthersServed();
  });

  test('that answers garbage or nothing: 500, and no request passes', async () => {
    const before = origin.requests.length;
    for (const text of [
      '',
      'garbage\r\n\r\n',
      'HTTP/1.1 200',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    ]) {
      script = { text, ends: true };
      assert.deepEqual(await ask('/raw-guarded'), [500, ''], JSON.stringify(text));
    }
    assert.equal(origin.requests.length, before);
    await assertOthersServed();
  });
});

describe('a client', { timeout: 60_000 }, () => {
  test('that sends half a head and leaves, fifty times: nobody notices', async () => {
    const before = origin.requests.length;
    await Promise.all(Array.from({ length: 50 }, () => sendAndLeave('GET /fine HTTP/1.1\r\nHost: a.te')));
    assert.equal(origin.requests.length, before);
    await assertOthersServed();
  });

  test('that sends half of a large body and leaves: the server sees it break off, and the next one is served', async () => {
    let seen = '';
    let isOver = false;
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        isOver = true;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const own = await startGateway({
      dynamic: {
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
          services: {
            s: {
              loadBalancer: {
                servers: [{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }],
              },
            },
          },
        },
      },
    });
    try {
      const socket = connect(own.port('web'), '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10000000\r\n\r\nhalf of it');
      // A small body is sent on only once it is whole; this one as it comes.
      await eventually('the server has the first half', () => seen.endsWith('half of it'));
      assert.equal(isOver, false);
      socket.destroy();
      await eventually('the server sees it break off', () => isOver);
      assert.ok(seen.endsWith('half of it'), seen);
    } finally {
      await own.stop();
      server.close();
    }
  });

  test('that sends half of a small body and leaves: the server never hears of it', async () => {
    const before = origin.requests.length;
    const text = 'POST /fine HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhalf';
    await Promise.all(Array.from({ length: 20 }, () => sendAndLeave(text)));
    await assertOthersServed();
    assert.equal(origin.requests.length, before + 10);
  });

  test('that speaks no HTTP is refused, and its connection closed', async () => {
    for (const text of [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'hello\r\n\r\n',
      'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
      'GET /fine HTTP/1.1\r\n\r\n',
      'GET /fine HTTP/1.1\r\nHost: a, b\r\n\r\n',
      'GET /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    ]) {
      const before = origin.requests.length;
      const answer = await exchange(text);
      assert.match(answer, /^(HTTP\/1\.1 (400|404|50\d)|$)/, JSON.stringify(text));
      assert.equal(origin.requests.length, before, JSON.stringify(text));
    }
    await assertOthersServed();
  });
});

async function ask(path: string): Promise<[number, string]> {
  const answer = await fetch(gateway.url('web') + path);
  return [answer.status, await answer.text()];
}

/** On as many connections as it takes to meet both workers. */
async function assertOthersServed(): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      fetch(`${gateway.url('web')}/fine`, { headers: { Connection: 'close' } }),
    ),
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(gateway.workerPids().length, 2);
  assert.doesNotMatch(gateway.logs(), /worker died|nobody caught|gateway\.bug/);
}

/** Everything the gateway says until it closes or is silent for 1.5 s. */
function exchange(text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(gateway.port('web'), '127.0.0.1', () => socket.write(text, 'latin1'));
    socket.setTimeout(1_500, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

function sendAndLeave(text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(gateway.port('web'), '127.0.0.1', () =>
      socket.write(text, () => socket.destroy()),
    );
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}
