// Sessions over two nodes with two workers each, and one Redis that fails in every way it can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually, type TestGateway } from '../support/gateway.ts';
import { type McpServer, mcpCall, startMcpServer } from '../support/mcp-server.ts';
import { missingRedis } from '../support/redis-server.ts';
import { startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

const skip = missingRedis;

interface Setup extends TwoNodes {
  readonly servers: readonly McpServer[];
}

async function setUp(context: TestContext, state: object = {}, onLost = '404'): Promise<Setup> {
  const servers = await Promise.all(['one', 'two', 'three'].map((name) => startMcpServer(name)));
  context.after(async () => {
    for (const server of servers) await server.stop();
  });
  const list = servers.map(({ url }) => ({ url }));
  const dynamic = {
    http: {
      routers: {
        mcp: { rule: 'PathPrefix(`/mcp`)', service: 'mcp' },
        seat: { rule: 'PathPrefix(`/seat`)', service: 'seat' },
      },
      services: {
        mcp: { loadBalancer: { servers: list, sticky: { header: { name: 'Mcp-Session-Id', onLost } } } },
        seat: { loadBalancer: { servers: list, sticky: { cookie: { name: 'seat' } } } },
      },
    },
  };
  const nodes = await startTwoNodes(context, { dynamic, state });
  return { ...nodes, servers };
}

const at = (node: TestGateway, path = '/mcp'): string => `${node.url('web')}${path}`;

interface Begun {
  readonly id: string;
  readonly text: string;
}

async function begin(node: TestGateway, count: number): Promise<Begun[]> {
  const begun: Begun[] = [];
  for (let i = 0; i < count; i++) {
    const { id, text } = await mcpCall(at(node), 'initialize');
    assert.ok(id !== null);
    begun.push({ id, text });
  }
  return begun;
}

async function follows(node: TestGateway, begun: readonly Begun[]): Promise<void> {
  const answers = await Promise.all(begun.map(({ id }) => mcpCall(at(node), 'tools/list', id)));
  assert.deepEqual(
    answers.map(({ text }) => text),
    begun.map(({ text }) => text),
  );
}

test('a session begun on one node is followed on the other, and Redis never sees its id', {
  skip,
}, async (context) => {
  const { redis, a, b } = await setUp(context);
  const begun = await begin(a, 12);
  for (let i = 0; i < 3; i++) await follows(b, begun);
  const [pid] = b.workerPids();
  process.kill(pid ?? 0, 'SIGKILL');
  await eventually('the worker is replaced', async () => {
    const { workers } = await b.status().catch(() => ({ workers: [] }));
    return workers.filter(({ state, pid: one }) => state === 'running' && one !== pid).length === 2;
  });
  for (let i = 0; i < 3; i++) await follows(b, begun);
  assert.equal((await mcpCall(at(a), 'DELETE', begun[0]?.id)).status, 204);
  const keys = (await redis.cli('KEYS', '*')).split('\n');
  const dumped = await Promise.all(
    keys.filter((key) => key.endsWith(':targets')).map((key) => redis.cli('HGETALL', key)),
  );
  assert.equal(dumped.length, 1);
  assert.equal((dumped[0] as string).split('\n').length, 2 * 11);
  for (const { id } of begun) assert.ok(![...keys, ...dumped].some((text) => text.includes(id)));
  for (const { id } of begun) assert.ok(!a.logs().includes(id) && !b.logs().includes(id));
});

test('sessions that a worker has seen outlive a Redis that comes back empty', { skip }, async (context) => {
  const { redis, a, b } = await setUp(context);
  const begun = await begin(a, 8);
  for (let i = 0; i < 4; i++) await follows(b, begun);
  await redis.kill();
  for (let i = 0; i < 2; i++) await follows(b, begun);
  // Begun while there was no Redis: every worker sends what it cannot look up to the same server, which answers.
  const [lonely] = await begin(a, 1);
  const told = await Promise.all(Array.from({ length: 6 }, () => mcpCall(at(b), 'tools/list', lonely?.id)));
  assert.equal(new Set(told.map(({ status }) => status)).size, 1);
  await redis.restart();
  await b.waitForLog(/Redis is reachable again|reachable/);
  await follows(b, begun);
});

test('closed: a session that cannot be looked up is refused with 503', { skip }, async (context) => {
  const { redis, a, b } = await setUp(context, { onError: 'closed' });
  const [one] = await begin(a, 1);
  await redis.kill();
  assert.equal((await mcpCall(at(b), 'tools/list', one?.id)).status, 503);
  assert.equal((await mcpCall(at(b), 'initialize')).status, 200);
});

test('a Redis that stalls costs a request its budget and no more', { skip }, async (context) => {
  const { redis, a, b } = await setUp(context);
  const begun = await begin(a, 10);
  await follows(b, begun);
  redis.pause();
  context.after(() => redis.resume());
  const unknown = crypto.randomUUID();
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    await mcpCall(at(b), 'tools/list', unknown);
    times.push(performance.now() - started);
  }
  context.diagnostic(`milliseconds: ${times.map((ms) => ms.toFixed(0)).join(' ')}`);
  assert.ok((times.toSorted((x, y) => x - y)[5] ?? 0) < 150, 'the budget is 50 ms');
});

test('a sticky cookie needs nothing shared: both nodes read it alike', { skip }, async (context) => {
  const { redis, a, b } = await setUp(context);
  await redis.kill();
  for (let i = 0; i < 6; i++) {
    const first = await fetch(at(a, '/seat'), { method: 'POST', body: '"initialize"' });
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const name = await first.text();
    for (const node of [a, b]) {
      const again = await fetch(at(node, '/seat'), {
        method: 'POST',
        body: '"initialize"',
        headers: { cookie, connection: 'close' },
      });
      assert.equal(await again.text(), name);
      assert.equal(again.headers.get('set-cookie'), null);
    }
  }
});

test('sessions begun while Redis is away are followed by all workers of their node, and shared when it is back', {
  skip,
}, async (context) => {
  const { redis, a, b } = await setUp(context);
  await redis.kill();
  await a.waitForLog(/Redis is not reachable/);
  const begun = await begin(a, 12);
  for (let i = 0; i < 4; i++) await follows(a, begun);
  await redis.restart();
  await eventually(
    'the other node follows them',
    async () => {
      await follows(a, begun);
      const answers = await Promise.all(begun.map(({ id }) => mcpCall(at(b), 'tools/list', id)));
      return answers.every(({ text }, index) => text === begun[index]?.text);
    },
    20_000,
  );
});

test('a session that ended on another node is held by none', { skip }, async (context) => {
  const { redis, a, b } = await setUp(context);
  const begun = await begin(a, 4);
  await follows(b, begun);
  for (const { id } of begun) assert.equal((await mcpCall(at(b), 'DELETE', id)).status, 204);
  const held = async (): Promise<string> => {
    const keys = (await redis.cli('KEYS', '*:targets')).split('\n').filter((key) => key !== '');
    return (await Promise.all(keys.map((key) => redis.cli('HLEN', key)))).join();
  };
  await eventually('Redis has forgotten them', async () => /^0?$/.test(await held()));
  await eventually('nobody brings them back', async () => {
    for (const { id } of begun) assert.equal((await mcpCall(at(a), 'tools/list', id)).status, 404);
    return /^0?$/.test(await held());
  });
});
