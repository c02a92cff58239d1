// Sessions named by a header: learned from answers, followed by every worker, on one node.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  assertStay,
  beginSession,
  beginSessions,
  type McpServer,
  mcpCall,
  startMcpServer,
} from '../support/mcp-server.ts';
import { startOrigin } from '../support/origin.ts';

const header = { name: 'Mcp-Session-Id', onLost: '404' };

function service(servers: readonly object[], sticky: object): object {
  return { loadBalancer: { servers, sticky } };
}

function routesTo(services: Record<string, object>): object {
  const routers = Object.fromEntries(
    Object.keys(services).map((name) => [name, { rule: `PathPrefix(\`/${name}\`)`, service: name }]),
  );
  return { http: { routers, services } };
}

describe('a header that names sessions, two workers', () => {
  const servers: McpServer[] = [];
  let gateway: TestGateway;
  let base: readonly { url: string }[];

  const dynamicOf = (extra: Record<string, object> = {}, more: readonly object[] = base): object =>
    routesTo({
      strict: service(more, { header }),
      easy: service(base, { header: { ...header, onLost: 'repick' } }),
      other: service(base, { header }),
      both: service(base, { header: { ...header, onLost: 'repick' }, cookie: { name: 'seat' } }),
      ...extra,
    });

  before(async () => {
    for (const name of ['a', 'b', 'c']) servers.push(await startMcpServer(name));
    base = servers.map(({ url }) => ({ url }));
    gateway = await startGateway({ workers: 2, dynamic: dynamicOf() });
  });
  after(async () => {
    await gateway?.stop();
    for (const server of servers) await server.stop();
  });

  const at = (path: string): string => `${gateway.url('web')}${path}`;

  const begin = (path: string) => beginSession(at(path));
  const beginMany = (path: string, count: number) => beginSessions(at(path), count);

  test('a session stays with its server, whichever worker is asked', async () => {
    const begun = await beginMany('/strict', 12);
    assert.ok(new Set(begun.map(({ name }) => name)).size > 1, 'sessions are spread');
    await assertStay(at('/strict'), begun, 6);
  });

  test('an id nobody gave out is answered with 404 and reaches no server', async () => {
    const before = servers.map(({ requests }) => requests.length);
    assert.equal((await mcpCall(at('/strict'), 'tools/list', 'never-heard-of')).status, 404);
    assert.equal((await mcpCall(at('/strict'), 'tools/list', 'x'.repeat(513))).status, 404);
    assert.deepEqual(
      servers.map(({ requests }) => requests.length),
      before,
    );
  });

  test('with repick an unknown id always goes to the same server', async () => {
    for (const id of ['made-up-1', 'made-up-2', 'made-up-3', 'x'.repeat(600)]) {
      const before = servers.map(({ requests }) => requests.length);
      for (let i = 0; i < 6; i++) assert.equal((await mcpCall(at('/easy'), 'tools/list', id)).status, 404);
      const got = servers.map(({ requests }, at) => requests.length - (before[at] ?? 0));
      assert.deepEqual(got.toSorted(), [0, 0, 6]);
    }
  });

  test('two services with the same header do not share sessions', async () => {
    const { id } = await begin('/strict');
    assert.equal((await mcpCall(at('/other'), 'tools/list', id)).status, 404);
  });

  test('DELETE ends a session for all workers', async () => {
    const { id } = await begin('/strict');
    assert.equal((await mcpCall(at('/strict'), 'DELETE', id)).status, 204);
    for (let i = 0; i < 4; i++) assert.equal((await mcpCall(at('/strict'), 'tools/list', id)).status, 404);
  });

  test('a session outlives reloads and workers', async () => {
    const begun = await beginMany('/strict', 6);
    await gateway.writeDynamic(dynamicOf({ fresh: service(base, { header }) }));
    for (const pid of gateway.workerPids()) {
      process.kill(pid, 'SIGKILL');
      await eventually('the worker is replaced', async () => {
        const { workers } = await gateway.status().catch(() => ({ workers: [] }));
        return workers.filter(({ state, pid: one }) => state === 'running' && one !== pid).length === 2;
      });
    }
    for (const { id, name } of begun) {
      for (let i = 0; i < 3; i++) {
        assert.equal((await mcpCall(at('/strict'), 'tools/list', id)).text, name);
      }
    }
  });

  test('a server that is taken out of the configuration loses its sessions', async () => {
    const begun = await beginMany('/strict', 9);
    await gateway.writeDynamic(dynamicOf({}, base.slice(1)));
    for (const { id, name } of begun) {
      const { status, text } = await mcpCall(at('/strict'), 'tools/list', id);
      if (name === 'a') assert.equal(status, 404);
      else assert.equal(text, name);
    }
    await gateway.writeDynamic(dynamicOf());
  });

  test('a server that drains keeps its sessions and gets no new ones: by API', async () => {
    const begun = await beginMany('/strict', 9);
    const cookie = await cookieOf('a');
    const drain = (drained: boolean, body = {}): Promise<Response> =>
      fetch(`${gateway.url('traefik')}/api/portcullis/servers/drain`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ service: 'strict@file', url: base[0]?.url, drain: drained, ...body }),
      });
    assert.equal((await drain(true)).status, 200);
    assert.equal((await drain(true, { service: 'both@file' })).status, 200);
    for (let i = 0; i < 12; i++) assert.notEqual((await begin('/strict')).name, 'a');
    for (const { id, name } of begun)
      assert.equal((await mcpCall(at('/strict'), 'tools/list', id)).text, name);
    const through = await fetch(at('/both'), { headers: { cookie }, method: 'POST', body: '"initialize"' });
    assert.equal(await through.text(), 'a');
    assert.equal(through.headers.get('set-cookie'), null);
    // Also after a reload, and in a worker that was not there.
    await gateway.writeDynamic(dynamicOf({ newer: service(base, { header }) }));
    gateway.signal('SIGUSR2');
    await gateway.waitForLog(/workers are replaced/);
    for (let i = 0; i < 12; i++) assert.notEqual((await begin('/strict')).name, 'a');
    assert.equal((await drain(true, { url: 'http://127.0.0.1:1' })).status, 404);
    assert.equal((await drain(true, { service: 'none@file' })).status, 404);
    assert.equal((await drain(true, { drain: 1 })).status, 400);
    assert.equal((await drain(false)).status, 200);
    assert.equal((await drain(false, { service: 'both@file' })).status, 200);
    const names = (await beginMany('/strict', 12)).map(({ name }) => name);
    assert.ok(names.includes('a'));
  });

  test('a server that has left the configuration drains no more when one comes under its URL', async () => {
    const drains = `${gateway.url('traefik')}/api/portcullis/servers/drain`;
    const body = JSON.stringify({ service: 'strict@file', url: base[0]?.url, drain: true });
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(drains, { method: 'POST', headers, body })).status, 200);
    await gateway.writeDynamic(dynamicOf({ strict: service(base.slice(1), { header }) }));
    assert.deepEqual(await (await fetch(drains)).json(), { drains: [] });
    await gateway.writeDynamic(dynamicOf());
    const begun = await beginMany('/strict', 12);
    assert.ok(begun.some(({ name }) => name === 'a'));
  });

  /** A cookie that leads to the server of that name. */
  async function cookieOf(name: string): Promise<string> {
    for (;;) {
      const answer = await fetch(at('/both'), { method: 'POST', body: '"initialize"' });
      const line = answer.headers.get('set-cookie') ?? '';
      if ((await answer.text()) === name) return line.slice(0, line.indexOf(';'));
    }
  }

  test('a server that drains by configuration gets nothing new', async () => {
    const [a, b] = base;
    await gateway.writeDynamic(
      dynamicOf({ drained: service([{ ...a, drain: true }, { ...b }], { header }) }),
    );
    for (let i = 0; i < 8; i++) assert.equal((await begin('/drained')).name, 'b');
  });

  test('a header of the server that many requests share is learned but once', async () => {
    const echo = await startOrigin({
      answer(request, response) {
        response.setHeader('Mcp-Session-Id', 'one-for-all');
        response.end(String(request.headers['mcp-session-id'] ?? ''));
      },
    });
    await gateway.writeDynamic(dynamicOf({ echo: service([{ url: echo.url }], { header }) }));
    assert.equal((await mcpCall(at('/echo'), 'initialize')).id, 'one-for-all');
    assert.equal((await mcpCall(at('/echo'), 'tools/list', 'one-for-all')).text, 'one-for-all');
    await echo.stop();
  });
});

describe('a server with sessions that goes down', () => {
  test('404 tells its clients to begin anew; repick moves them, for all workers alike', async (context) => {
    const servers = await Promise.all(['a', 'b'].map((name) => startMcpServer(name)));
    // Takes any session over, as servers do that share theirs behind the gateway.
    const generous = await Promise.all(
      ['x', 'y', 'z'].map((name) =>
        startOrigin({
          answer(request, response) {
            if (request.headers['mcp-session-id'] === undefined)
              response.setHeader('Mcp-Session-Id', crypto.randomUUID());
            response.end(name);
          },
        }),
      ),
    );
    const gateway = await startGateway({
      workers: 2,
      dynamic: routesTo({
        strict: service(
          servers.map(({ url }) => ({ url })),
          { header },
        ),
        easy: service(
          generous.map(({ url }) => ({ url })),
          { header: { ...header, onLost: 'repick' } },
        ),
      }),
    });
    context.after(async () => {
      await gateway.stop();
      for (const one of [...servers, ...generous]) await one.stop().catch(() => {});
    });
    const strict = `${gateway.url('web')}/strict`;
    const easy = `${gateway.url('web')}/easy`;
    const one = await mcpCall(easy, 'initialize');
    const at = ['x', 'y', 'z'].indexOf(one.text);
    const lost = generous[at];
    await lost?.stop();
    const moved = await mcpCall(easy, 'tools/list', one.id);
    assert.notEqual(moved.text, one.text);
    const again = await startOrigin({ port: lost?.port ?? 0, name: 'back' });
    context.after(() => again.stop());
    for (let i = 0; i < 8; i++) assert.equal((await mcpCall(easy, 'tools/list', one.id)).text, moved.text);

    const begun = await mcpCall(strict, 'initialize');
    const home = servers[['a', 'b'].indexOf(begun.text)];
    await home?.stop();
    // Nobody has said that it is down: what is lost with the connection is not given to another server.
    assert.equal((await mcpCall(strict, 'tools/list', begun.id)).status, 502);
  });
});
