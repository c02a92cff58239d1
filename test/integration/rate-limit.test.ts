// rateLimit and inFlightReq on the wire: exact over several workers, and kept when workers and configurations change.

import assert from 'node:assert/strict';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { connectionsOf } from '../support/load.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const average = 20;
const burst = 8;

describe('limits that two workers share', () => {
  let origin: Origin;
  let gateway: TestGateway;
  let held: (() => void)[] = [];
  before(async () => {
    origin = await startOrigin({
      answer(asked, response) {
        if (asked.url === '/hold') held.push(() => response.end('held'));
        else response.end('origin');
      },
    });
    gateway = await startGateway({ workers: 2, dynamic: configuration(origin.url) });
  });
  after(async () => {
    for (const release of held) release();
    await gateway.stop();
    await origin.stop();
  });

  test('exactly burst and rate pass, however many connections and workers a source uses', async (t) => {
    const port = gateway.port('web');
    const agents = await connectionsOnBoth(gateway, 4);
    t.after(() => agents.forEach((agent) => agent.destroy()));
    const sources = ['first', 'second'];
    const passed = new Map(sources.map((source) => [source, 0]));
    const last = new Map(sources.map((source) => [source, 0]));
    const statuses = new Set<number>();
    const started = performance.now();
    const drive = async (agent: Agent, source: string): Promise<void> => {
      while (performance.now() - started < 2500) {
        const { status, headers } = await get(port, agent, { host: 'rate.test', 'x-key': source });
        statuses.add(status);
        if (status === 200) {
          passed.set(source, (passed.get(source) ?? 0) + 1);
          last.set(source, performance.now());
        } else {
          assert.equal(headers['retry-after'], '1');
          await pause(3);
        }
      }
    };
    await Promise.all(agents.flatMap((agent) => sources.map((source) => drive(agent, source))));
    assert.deepEqual([...statuses].toSorted(), [200, 429]);
    for (const source of sources) {
      const seconds = ((last.get(source) ?? 0) - started) / 1000;
      const allowed = burst + average * seconds;
      const count = passed.get(source) ?? 0;
      assert.ok(Math.abs(count - allowed) <= 1.5, `${count} passed of ${allowed} in ${seconds} s`);
    }
  });

  test('no more than the amount run at a time in all workers, and what ends makes room', async (t) => {
    const port = gateway.port('web');
    const agents = await connectionsOnBoth(gateway, 6);
    t.after(() => agents.forEach((agent) => agent.destroy()));
    for (let round = 0; round < 2; round++) {
      const statuses: number[] = [];
      const all = agents.map(async (agent) => {
        const answer = await get(port, agent, { host: 'flight.test' }, '/hold');
        if (answer.status === 429) assert.equal(answer.body, 'max connections reached: 3');
        statuses.push(answer.status);
      });
      await eventually('three are held and three refused', () => held.length === 3 && statuses.length === 3);
      assert.deepEqual(statuses, [429, 429, 429]);
      for (const release of held) release();
      held = [];
      await Promise.all(all);
      assert.deepEqual(statuses.toSorted(), [200, 200, 200, 429, 429, 429]);
    }
  });

  test('a client that goes away makes room', async () => {
    const gone = Array.from({ length: 3 }, () => holdOpen(gateway, 'flight.test'));
    await eventually('three are held', () => held.length === 3);
    assert.equal((await ask(gateway.port('web'), { host: 'flight.test' })).status, 429);
    for (const one of gone) one.destroy();
    await eventually('there is room', async () => {
      return (await ask(gateway.port('web'), { host: 'flight.test' })).status === 200;
    });
    held = [];
  });

  test('a worker that dies gives back what ran in it', async () => {
    const gone = Array.from({ length: 3 }, () => holdOpen(gateway, 'flight.test'));
    await eventually('three are held', () => held.length === 3);
    for (const pid of gateway.workerPids()) process.kill(pid, 'SIGKILL');
    await eventually('there is room', async () => {
      const answer = await ask(gateway.port('web'), { host: 'flight.test' }).catch(() => null);
      return answer?.status === 200;
    });
    for (const one of gone) one.destroy();
    held = [];
    await eventually('two workers run', async () => {
      const { workers } = await gateway.status();
      return workers.filter((one) => one.state === 'running').length === 2;
    });
  });

  test('buckets outlive workers and reloads, and begin afresh with other options', async () => {
    await useUp(gateway, 'slow.test');
    await roll(gateway);
    assert.equal((await ask(gateway.port('web'), { host: 'slow.test' })).status, 429);
    await gateway.writeDynamic(configuration(origin.url, { more: true }));
    assert.equal((await ask(gateway.port('web'), { host: 'slow.test' })).status, 429);
    await gateway.writeDynamic(configuration(origin.url, { burst: 4 }));
    assert.equal((await ask(gateway.port('web'), { host: 'slow.test' })).status, 200);
  });

  test('a primary that does not answer fails closed within the budget', async () => {
    process.kill(gateway.pid, 'SIGSTOP');
    try {
      const started = performance.now();
      const limited = await ask(gateway.port('web'), { host: 'rate.test' });
      assert.equal(limited.status, 500);
      assert.equal(limited.body, 'Could not insert/update bucket\n');
      assert.equal((await ask(gateway.port('web'), { host: 'flight.test' })).status, 503);
      assert.ok(performance.now() - started < 3000);
      assert.equal((await ask(gateway.port('web'), { host: 'free.test' })).status, 200);
    } finally {
      process.kill(gateway.pid, 'SIGCONT');
    }
    await eventually('limits work again', async () => {
      const answers = [await ask(gateway.port('web'), { host: 'rate.test' })];
      for (let i = 0; i < 3; i++) answers.push(await ask(gateway.port('web'), { host: 'flight.test' }));
      return answers.every(({ status }) => status === 200);
    });
  });
});

describe('limits in the only worker', () => {
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    origin = await startOrigin();
    gateway = await startGateway({ dynamic: configuration(origin.url) });
  });
  after(async () => {
    await gateway.stop();
    await origin.stop();
  });

  test('who comes too often gets 429 and is told when to come back', async () => {
    const first = await ask(gateway.port('web'), { host: 'slow.test' });
    assert.equal(first.status, 200);
    assert.ok(first.headers.includes('ratelimit-policy: "slow";q=1;w=60'), String(first.headers));
    assert.ok(first.headers.includes('ratelimit: "slow";r=2;t=60'), String(first.headers));
    await useUp(gateway, 'slow.test');
    const refused = await ask(gateway.port('web'), { host: 'slow.test' });
    assert.equal(refused.body, 'Too Many Requests');
    assert.ok(refused.headers.includes('retry-after: 60'), String(refused.headers));
    assert.match(String(refused.headers), /x-retry-in: 59\.\d+s/);
    assert.ok(refused.headers.includes('ratelimit: "slow";r=0;t=180'), String(refused.headers));
  });

  test('buckets outlive the worker, as often as it is replaced', async () => {
    await useUp(gateway, 'slow.test');
    for (let round = 0; round < 2; round++) {
      const before = gateway.workerPids();
      await roll(gateway);
      assert.ok(gateway.workerPids().every((pid) => !before.includes(pid)));
      assert.equal((await ask(gateway.port('web'), { host: 'slow.test' })).status, 429);
    }
  });

  test('what runs while the worker is replaced goes on counting', async () => {
    let release = (): void => {};
    origin.answerWith((asked, response) => {
      if (asked.url === '/hold') release = () => void response.end('held');
      else response.end('origin');
    });
    const slow = ask(gateway.port('web'), { host: 'single.test', target: '/hold' });
    await eventually('it runs', async () => {
      return (await ask(gateway.port('web'), { host: 'single.test' })).status === 429;
    });
    const old = gateway.workerPids();
    gateway.signal('SIGUSR2');
    await eventually('the new worker serves', async () => {
      const { workers } = await gateway.status();
      return workers.some(({ pid, state }) => state === 'running' && !old.includes(pid));
    });
    assert.equal((await ask(gateway.port('web'), { host: 'single.test' })).status, 429);
    release();
    assert.equal((await slow).status, 200);
    await eventually('there is room', async () => {
      return (await ask(gateway.port('web'), { host: 'single.test' })).status === 200;
    });
    await eventually('the old worker is gone', () => !gateway.workerPids().some((pid) => old.includes(pid)));
    assert.equal((await ask(gateway.port('web'), { host: 'single.test' })).status, 200);
  });
});

test('a WebSocket counts until it is closed', async () => {
  const { server, url } = await webSocketServer();
  const gateway = await startGateway({ dynamic: configuration(url) });
  try {
    const open = (): Promise<WebSocket | number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('web')}/`, {
          headers: { host: 'single.test' },
        });
        socket.on('open', () => resolve(socket));
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        socket.on('error', () => {});
      });
    const first = await open();
    assert.ok(first instanceof WebSocket);
    assert.equal(await open(), 429);
    first.close();
    await eventually('there is room', async () => {
      const next = await open();
      if (typeof next === 'number') return false;
      next.terminate();
      return true;
    });
  } finally {
    await gateway.stop();
    server.closeAllConnections();
    server.close();
  }
});

function configuration(url: string, { burst: slowBurst = 3, more = false } = {}): object {
  const middlewares = {
    rate: { rateLimit: { average, burst, sourceCriterion: { requestHeaderName: 'X-Key' } } },
    slow: { rateLimit: { average: 1, period: '1m', burst: slowBurst } },
    flight: { inFlightReq: { amount: 3 } },
    single: { inFlightReq: { amount: 1 } },
  };
  const routers = Object.fromEntries(
    [...Object.keys(middlewares), 'free', ...(more ? ['more'] : [])].map((name) => [
      name,
      {
        rule: `Host(\`${name}.test\`)`,
        service: 'origin',
        ...(name in middlewares && { middlewares: [name] }),
      },
    ]),
  );
  return { http: { routers, middlewares, services: { origin: { loadBalancer: { servers: [{ url }] } } } } };
}

async function useUp(gateway: TestGateway, host: string): Promise<void> {
  await eventually(
    'the bucket is empty',
    async () => (await ask(gateway.port('web'), { host })).status === 429,
  );
}

async function roll(gateway: TestGateway): Promise<void> {
  const old = gateway.workerPids();
  gateway.signal('SIGUSR2');
  await eventually(
    'all workers are replaced',
    async () => {
      const { workers } = await gateway.status();
      const isDone = gateway.workerPids().every((pid) => !old.includes(pid));
      return isDone && workers.every(({ state }) => state === 'running');
    },
    20_000,
  );
}

/** Connections kept alive, of which each of the two workers holds some. */
async function connectionsOnBoth(gateway: TestGateway, count: number): Promise<Agent[]> {
  const port = gateway.port('web');
  for (let attempt = 0; attempt < 20; attempt++) {
    const before = gateway.workerPids().map((pid) => connectionsOf(pid, port).size);
    const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    await Promise.all(agents.map((agent) => get(port, agent, { host: 'free.test' })));
    const after = gateway.workerPids().map((pid) => connectionsOf(pid, port).size);
    if (after.every((size, i) => size > (before[i] ?? 0))) return agents;
    for (const agent of agents) agent.destroy();
  }
  throw new Error('all connections come to one worker');
}

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function get(port: number, agent: Agent, headers: Record<string, string>, path = '/'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** A request that stays, on a connection of its own. */
function holdOpen(gateway: TestGateway, host: string): ReturnType<typeof request> {
  const port = gateway.port('web');
  const asked = request({ host: '127.0.0.1', port, path: '/hold', agent: false, headers: { host } });
  asked.on('error', () => {});
  asked.end();
  return asked;
}

async function webSocketServer(): Promise<{ server: Server; url: string }> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
