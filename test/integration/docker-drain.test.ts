// The label that lets a server drain, from the engine's API to the client: sessions stay, nothing new comes.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ScriptedEngine, startScriptedEngine } from '../support/docker-engine.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type McpServer, mcpCall, startMcpServer } from '../support/mcp-server.ts';

const service = 'traefik.http.services.mcp.loadbalancer';

describe('the label server.drain, two workers', () => {
  let engine: ScriptedEngine;
  let gateway: TestGateway;
  const servers: McpServer[] = [];

  /** As `docker compose up` with another label does: the container goes, and one with that label comes. */
  const put = (name: string, drain?: string): void => {
    const server = servers['ab'.indexOf(name)];
    assert.ok(server !== undefined);
    engine.put({
      name,
      ip: '127.0.0.1',
      port: server.port,
      labels: {
        'traefik.http.routers.mcp.rule': 'PathPrefix(`/`)',
        [`${service}.server.port`]: String(server.port),
        [`${service}.sticky.cookie.name`]: 'seat',
        [`${service}.sticky.header.name`]: 'Mcp-Session-Id',
        [`${service}.sticky.header.onlost`]: '404',
        ...(drain === undefined ? {} : { [`${service}.server.drain`]: drain }),
      },
    });
    engine.event('start', name);
  };

  before(async () => {
    engine = await startScriptedEngine();
    for (const name of ['a', 'b']) servers.push(await startMcpServer(name));
    put('a');
    put('b');
    gateway = await startGateway({
      workers: 2,
      static: { providers: { docker: { endpoint: engine.endpoint } } },
    });
  });
  after(async () => {
    await gateway?.stop();
    await engine?.stop();
    for (const server of servers) await server.stop();
  });

  const begin = () => mcpCall(gateway.url('web'), 'initialize');
  const beginMany = (count: number) => Promise.all(Array.from({ length: count }, begin));
  const namesOf = (answers: readonly { readonly text: string }[]) => new Set(answers.map(({ text }) => text));
  const bothServe = async (): Promise<boolean> => namesOf(await beginMany(8)).size === 2;

  test('a container that drains keeps its sessions, by header and by cookie, and gets nothing new', async () => {
    await eventually('both', bothServe);
    const begun = await beginMany(12);
    assert.equal(namesOf(begun).size, 2);
    const seats = await cookies(gateway.url('web'));
    put('a', 'true');
    await eventually('a is left alone', async () => !namesOf(await beginMany(8)).has('a'));
    for (let round = 0; round < 3; round++) {
      assert.deepEqual([...namesOf(await beginMany(8))], ['b']);
      for (const { id, text } of begun)
        assert.equal((await mcpCall(gateway.url('web'), 'tools/list', id)).text, text);
      for (const [name, cookie] of seats) assert.equal(await seatOf(gateway.url('web'), cookie), name);
    }
    put('a');
    await eventually('both again', bothServe);
  });

  test('false is no drain, and what is neither true nor false is told', async () => {
    const { version } = await gateway.status();
    put('a', 'true');
    put('a', 'false');
    put('b', 'true');
    await eventually('only b drains', async () => {
      const isNew = (await gateway.status()).version > version;
      return isNew && [...namesOf(await beginMany(8))].join('') === 'a';
    });
    put('a', 'later');
    put('b');
    await eventually('it is told', async () => {
      const { diagnostics } = await gateway.status();
      return diagnostics.some(({ message, severity }) => severity === 'error' && /drain/i.test(message));
    });
    put('a');
    await eventually('both again', bothServe);
  });

  test('a service whose only containers drain serves its sessions and nobody else', async () => {
    const begun = await beginMany(6);
    put('a', 'true');
    put('b', 'true');
    await eventually('new ones are refused', async () =>
      (await beginMany(6)).every(({ status }) => status === 503),
    );
    for (const { id, text } of begun)
      assert.equal((await mcpCall(gateway.url('web'), 'tools/list', id)).text, text);
    put('a');
    put('b');
    await eventually('both again', bothServe);
  });
});

/** A cookie of each server. */
async function cookies(url: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let i = 0; i < 100 && found.size < 2; i++) {
    const answer = await fetch(url, { method: 'POST', body: '"initialize"' });
    const line = answer.headers.get('set-cookie') ?? '';
    found.set(await answer.text(), line.slice(0, line.indexOf(';')));
  }
  assert.equal(found.size, 2);
  return found;
}

async function seatOf(url: string, cookie: string): Promise<string> {
  const answer = await fetch(url, { method: 'POST', body: '"initialize"', headers: { cookie } });
  return answer.text();
}
