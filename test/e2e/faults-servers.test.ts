// Servers and auth servers that die, stand still or talk nonsense while requests run.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { ask } from '../support/ask.ts';
import { startLiar, startServerProcess, startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, type TestGateway } from '../support/gateway.ts';
import type { SteadyClients } from '../support/steady-clients.ts';

const options = { timeout: 60_000 };

/** What is no HTTP, and what nearly is. */
const nonsense: readonly string[] = [
  '\x16\x03\x01\x02\x00\x01\x00',
  'SSH-2.0-OpenSSH_9.2\r\n',
  'HTTP/1.1 two hundred\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
];

test(
  'a server that is killed under load costs no GET, and takes part again when it is back',
  options,
  async (t) => {
    const [one, two] = await Promise.all([startServerProcess(t, 'one'), startServerProcess(t, 'two')]);
    const gateway = await startTested(t, { workers: 2, dynamic: pair([one.url, two.url]) });
    const clients = startLoad(t, gateway, { connections: 8 });
    await busy(clients);
    await two.kill();
    await busy(clients);
    await two.restart();
    await eventually('it is asked again', async () => (await text(gateway)).startsWith('two'));
    await busy(clients);
    await clients.stop();
    t.diagnostic(`${clients.answered()} answered, ${clients.losses.length} lost`);
    assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  },
);

test('a server that stands still under load costs a GET its timeout and no more', options, async (t) => {
  const [one, two] = await Promise.all([startServerProcess(t, 'one'), startServerProcess(t, 'two')]);
  const gateway = await startTested(t, { workers: 2, dynamic: pair([one.url, two.url]) });
  const clients = startLoad(t, gateway, { connections: 8 });
  await busy(clients);
  two.pause();
  const began = performance.now();
  let slowest = 0;
  while (performance.now() - began < 3_000) {
    const asked = performance.now();
    assert.match(await text(gateway), /^one/);
    slowest = Math.max(slowest, performance.now() - asked);
  }
  two.resume();
  await eventually('it is asked again', async () => (await text(gateway)).startsWith('two'), 15_000);
  await clients.stop();
  t.diagnostic(`${clients.answered()} answered, the slowest after ${slowest.toFixed()} ms`);
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  assert.ok(slowest < 500 + 1_000, `${slowest} ms`);
});

test(
  'a server that talks nonsense gets nobody an answer, and its neighbours notice nothing',
  options,
  async (t) => {
    const good = await startServerProcess(t, 'good');
    let turn = 0;
    const liar = await startLiar(t, (socket) => say(socket, nonsense[turn % nonsense.length] as string));
    const gateway = await startTested(t, {
      workers: 2,
      dynamic: {
        http: {
          routers: {
            good: { rule: 'PathPrefix(`/`)', service: 'good' },
            bad: { rule: 'PathPrefix(`/bad`)', service: 'bad' },
          },
          services: { good: balanced(good.url), bad: balanced(`http://127.0.0.1:${liar.port}`) },
        },
      },
    });
    const clients = startLoad(t, gateway, { connections: 8 });
    await busy(clients);
    for (turn = 0; turn < nonsense.length * 4; turn += 1) {
      const status = await statusOf(gateway, '/bad');
      // A head that was good is passed on, and then the connection is cut.
      assert.ok(
        [500, 502, 'cut'].includes(status),
        `${status} for ${JSON.stringify(nonsense[turn % nonsense.length])}`,
      );
    }
    await clients.stop();
    assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  },
);

test(
  'an auth server that is killed under load lets nobody in who was not known, and known ones live on',
  options,
  async (t) => {
    const stage = await guarded(t);
    await stage.auth.kill();
    assert.equal(await stage.as('unknown'), 500);
    assert.equal(await stage.as('known'), 200);
    await stage.auth.restart();
    await eventually('strangers are asked about again', async () => (await stage.as('other')) === 200);
    await stage.end();
  },
);

test(
  'an auth server that stands still under load refuses strangers after its timeout, and nobody else waits',
  options,
  async (t) => {
    const stage = await guarded(t);
    stage.auth.pause();
    const asked = performance.now();
    const strangers = await Promise.all(['a', 'b', 'c', 'a'].map((name) => stage.as(name)));
    const took = performance.now() - asked;
    assert.deepEqual(strangers, [500, 500, 500, 500]);
    assert.ok(took > 450 && took < 3_000, `${took} ms`);
    const known = performance.now();
    assert.equal(await stage.as('known'), 200);
    assert.ok(performance.now() - known < 400);
    stage.auth.resume();
    await eventually('strangers are asked about again', async () => (await stage.as('later')) === 200);
    t.diagnostic(`strangers were refused after ${took.toFixed()} ms`);
    await stage.end();
  },
);

test('an auth server that talks nonsense under load lets nobody in', options, async (t) => {
  const stage = await guarded(t);
  await stage.auth.kill();
  let turn = 0;
  const liar = await startLiar(
    t,
    (socket) => say(socket, nonsense[turn % nonsense.length] as string),
    stage.auth.port,
  );
  for (turn = 0; turn < nonsense.length * 2; turn += 1)
    assert.equal(await stage.as(`liar-${turn}`), 500, JSON.stringify(nonsense[turn % nonsense.length]));
  assert.equal(await stage.as('known'), 200);
  await liar.stop();
  await stage.auth.restart();
  await eventually('strangers are asked about again', async () => (await stage.as('honest')) === 200);
  await stage.end();
});

interface Guarded {
  readonly auth: Awaited<ReturnType<typeof startServerProcess>>;
  /** The status that somebody gets. */
  as(name: string): Promise<number | 'cut'>;
  /** Who asked all the while was answered. */
  end(): Promise<void>;
}

/** Somebody is `known`; an open route and the known one are asked all the while. */
async function guarded(t: Parameters<typeof startTested>[0]): Promise<Guarded> {
  const [server, auth] = await Promise.all([startServerProcess(t, 'server'), startServerProcess(t, 'auth')]);
  const gateway = await startTested(t, {
    workers: 2,
    dynamic: {
      http: {
        routers: {
          open: { rule: 'PathPrefix(`/`)', service: 'server' },
          guarded: { rule: 'PathPrefix(`/guarded`)', service: 'server', middlewares: ['auth'] },
        },
        middlewares: {
          auth: {
            forwardAuth: {
              address: `${auth.url}/auth`,
              authRequestHeaders: ['Authorization'],
              timeout: '500ms',
              cache: { ttl: '1m', key: ['header:Authorization'] },
            },
          },
        },
        services: { server: balanced(server.url) },
      },
    },
  });
  const as = (name: string): Promise<number | 'cut'> =>
    statusOf(gateway, '/guarded', { authorization: `Bearer ${name}` });
  // Until each worker has asked for itself.
  for (let n = 0; n < 40; n += 1) assert.equal(await as('known'), 200);
  const clients = startLoad(t, gateway, { connections: 8 });
  await busy(clients);
  return {
    auth,
    as,
    async end() {
      await busy(clients);
      await clients.stop();
      assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
    },
  };
}

function pair(urls: readonly string[]): object {
  const passive = { passiveHealthCheck: { failureWindow: '2s', maxFailedAttempts: 1 } };
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 'pair', middlewares: ['again'] } },
      middlewares: { again: { retry: { attempts: 2, status: ['504'] } } },
      services: {
        pair: {
          loadBalancer: { servers: urls.map((url) => ({ url })), serversTransport: 'quick', ...passive },
        },
      },
      serversTransports: { quick: { forwardingTimeouts: { responseHeaderTimeout: '500ms' } } },
    },
  };
}

function balanced(url: string): object {
  return { loadBalancer: { servers: [{ url }] } };
}

function say(socket: Socket, text: string): void {
  socket.end(Buffer.from(text, 'latin1'));
}

/** Until some more were answered. */
async function busy(clients: SteadyClients): Promise<void> {
  const before = clients.answered();
  await eventually('load', () => clients.answered() > before + 200, 20_000);
}

async function text(gateway: TestGateway): Promise<string> {
  return (await ask(gateway.port('web'), { host: 'a.test' })).body;
}

async function statusOf(
  gateway: TestGateway,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | 'cut'> {
  try {
    return (await ask(gateway.port('web'), { host: 'a.test', target, headers })).status;
  } catch {
    return 'cut';
  }
}
