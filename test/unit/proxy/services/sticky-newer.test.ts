// A session that began under a newer configuration than the one under which a request for it waits.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { LoadBalancerSpec, RouterSpec, Snapshot } from '../../../../src/model/snapshot.ts';
import { noTls } from '../../../../src/model/tls.ts';
import { createGateway } from '../../../../src/proxy/create-gateway.ts';
import type { Gateway } from '../../../../src/proxy/gateway.ts';
import { MemoryState } from '../../../../src/state/memory.ts';
import { Sessions, type SessionTable } from '../../../../src/state/sessions.ts';
import { eventually, freePorts } from '../../../support/gateway.ts';
import { startOrigin } from '../../../support/origin.ts';
import { entryPoint, transport } from '../../../support/specs.ts';
import { linesLog, router, service, settings } from '../../primary/support.ts';

test('is found at a server that only the newer configuration has', async (context) => {
  const { gateway, asked, answer, urls } = await stage(context);
  gateway.apply(snapshot(2, urls), []);
  answer[0]?.(urls[1] as string);
  assert.deepEqual(await asked, [200, 'new']);
});

test('is lost where the newer configuration was taken back', async (context) => {
  const { gateway, asked, answer, urls } = await stage(context);
  gateway.apply(snapshot(2, urls), []);
  gateway.rollback(2);
  answer[0]?.(urls[1] as string);
  assert.equal((await asked)[0], 404);
});

test('is lost where the newer configuration lets fewer requests through', async (context) => {
  const { gateway, asked, answer, urls } = await stage(context);
  gateway.apply(snapshot(2, urls, { rule: 'PathPrefix(`/`) && Header(`a`, `b`)' }), []);
  answer[0]?.(urls[1] as string);
  assert.equal((await asked)[0], 404);
});

test('is lost where the newer service has a guard of its own', async (context) => {
  const { gateway, asked, answer, urls } = await stage(context);
  gateway.apply(snapshot(2, urls, {}, { middlewares: ['guard@file'] }), []);
  answer[0]?.(urls[1] as string);
  assert.equal((await asked)[0], 404);
});

test('is lost at a server that the newer configuration does not have either', async (context) => {
  const { gateway, asked, answer, urls } = await stage(context);
  gateway.apply(snapshot(2, urls), []);
  answer[0]?.('http://127.0.0.1:1');
  await eventually('the newer one asks again', () => answer.length === 2);
  answer[1]?.('http://127.0.0.1:1');
  assert.equal((await asked)[0], 404);
});

interface Stage {
  readonly gateway: Gateway;
  readonly urls: readonly string[];
  /** One for each time the table was asked. */
  readonly answer: ((target: string) => void)[];
  /** Status and body of a request that names the session, for which the table was asked. */
  readonly asked: Promise<readonly [number, string]>;
}

async function stage(context: TestContext): Promise<Stage> {
  const origins = [await startOrigin({ name: 'old' }), await startOrigin({ name: 'new' })];
  const urls = origins.map(({ url }) => url);
  const answer: Stage['answer'] = [];
  const table: SessionTable = {
    find: () => new Promise((resolve) => void answer.push(resolve)),
    learn: () => Promise.resolve(),
    forget() {},
    close() {},
  };
  const deps = {
    askPrimary: () => Promise.reject(new Error('nobody is there')),
    log: linesLog([]),
    state: new MemoryState(),
    sessions: { sessions: new Sessions({ table }), salt: '', refuses: false },
  };
  const [port = 0] = await freePorts(1);
  const web = { ...entryPoint('web', { port }), host: '127.0.0.1' };
  const gateway = createGateway({ ...settings, entryPoints: [web] }, deps);
  context.after(async () => {
    await gateway.close();
    for (const origin of origins) await origin.stop();
  });
  gateway.apply(snapshot(1, urls.slice(0, 1)), []);
  await gateway.listen();
  const asked = ask(port);
  await eventually('the table is asked', () => answer.length === 1);
  return { gateway, urls, answer, asked };
}

async function ask(port: number): Promise<readonly [number, string]> {
  const headers = { 'x-seat': 'one', connection: 'close' };
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
  return [response.status, await response.text()];
}

function snapshot(
  version: number,
  urls: readonly string[],
  changes: Partial<RouterSpec> = {},
  serviceChanges: Partial<LoadBalancerSpec> = {},
): Snapshot {
  const balanced: LoadBalancerSpec = {
    ...service('s@file', urls),
    ...serviceChanges,
    stickyHeader: { name: 'x-seat', ttl: 60_000, onLost: '404' },
  };
  return {
    version,
    hash: String(version),
    routers: [router('r@file', { service: 's@file', ...changes })],
    services: [balanced],
    middlewares: [],
    transports: [transport],
    tls: { ...noTls, listeners: [{ entryPoint: 'web', engine: 'uws', side: 'cleartext', hosts: [] }] },
  };
}
