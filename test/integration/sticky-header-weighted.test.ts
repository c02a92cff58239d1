// Sessions named by a header that lead to one of several services, and through it to one server.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  assertStay,
  beginSession,
  beginSessions,
  type McpServer,
  type McpSession,
  mcpCall,
  startMcpServer,
} from '../support/mcp-server.ts';

const header = { name: 'Mcp-Session-Id', onLost: '404' };

describe('a weighted service whose sessions a header names, two workers', () => {
  const servers: McpServer[] = [];
  let gateway: TestGateway;

  const balanced = (names: string, sticky: object = { header }): object => ({
    loadBalancer: {
      servers: servers.filter((_, at) => names.includes('abcd'.charAt(at))).map(({ url }) => ({ url })),
      sticky,
    },
  });
  const weighted = (services: readonly object[], sticky: object = { header }): object => ({
    weighted: { services, sticky },
  });
  const dynamic = (weights: readonly number[] = [1, 1]): object => {
    const [left = 1, right = 1] = weights;
    const services = {
      left: balanced('ab'),
      right: balanced('cd'),
      shares: weighted([
        { name: 'left', weight: left },
        { name: 'right', weight: right },
      ]),
      outer: weighted([{ name: 'shares' }, { name: 'alone' }]),
      alone: balanced('a'),
      easy: weighted([{ name: 'left' }, { name: 'right' }], { header: { ...header, onLost: 'repick' } }),
    };
    const router = (name: string) => [name, { rule: `PathPrefix(\`/${name}\`)`, service: name }] as const;
    return { http: { routers: Object.fromEntries(['shares', 'outer', 'easy'].map(router)), services } };
  };

  before(async () => {
    for (const name of ['a', 'b', 'c', 'd']) servers.push(await startMcpServer(name));
    gateway = await startGateway({ workers: 2, dynamic: dynamic() });
  });
  after(async () => {
    await gateway?.stop();
    for (const server of servers) await server.stop();
  });

  const at = (path: string): string => `${gateway.url('web')}${path}`;
  const begin = (path: string) => beginSession(at(path));
  const beginMany = (path: string, count: number) => beginSessions(at(path), count);
  const stay = (path: string, begun: readonly McpSession[]) => assertStay(at(path), begun, 4);

  test('a session stays with its server on both levels, whichever worker is asked', async () => {
    const begun = await beginMany('/shares', 16);
    assert.ok(new Set(begun.map(({ name }) => (name < 'c' ? 'left' : 'right'))).size === 2);
    await stay('/shares', begun);
  });

  test('and on three', async () => {
    await stay('/outer', await beginMany('/outer', 16));
  });

  test('new sessions follow the weights, old ones their id, also when the weights have changed', async () => {
    const begun = await beginMany('/shares', 12);
    await gateway.writeDynamic(dynamic([1, 0]));
    for (const { name } of await beginMany('/shares', 8)) assert.ok(name < 'c', name);
    await gateway.writeDynamic(dynamic([3, 1]));
    await stay('/shares', begun);
    const fresh = (await beginMany('/shares', 32)).filter(({ name }) => name < 'c').length;
    // Each worker counts for itself: 24 of 32, give or take what is left of a round in each.
    assert.ok(fresh >= 21 && fresh <= 27, `${fresh} of 32`);
    await gateway.writeDynamic(dynamic());
  });

  test('an id nobody gave out is 404 and reaches no server; with repick it goes to one place', async () => {
    const before = servers.map(({ requests }) => requests.length);
    for (let i = 0; i < 4; i++)
      assert.equal((await mcpCall(at('/shares'), 'tools/list', 'made-up')).status, 404);
    assert.deepEqual(
      servers.map(({ requests }) => requests.length),
      before,
    );
    for (let i = 0; i < 8; i++) await mcpCall(at('/easy'), 'tools/list', 'made-up');
    const sides = servers.map(({ requests }, i) => requests.length - (before[i] ?? 0));
    const left = (sides[0] ?? 0) + (sides[1] ?? 0);
    const right = (sides[2] ?? 0) + (sides[3] ?? 0);
    assert.ok(left === 0 || right === 0, sides.join(' '));
  });

  test('DELETE ends a session on both levels', async () => {
    const { id } = await begin('/shares');
    assert.equal((await mcpCall(at('/shares'), 'DELETE', id)).status, 204);
    for (let i = 0; i < 4; i++) assert.equal((await mcpCall(at('/shares'), 'tools/list', id)).status, 404);
  });
});
