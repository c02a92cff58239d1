// Listeners that are replaced: what is wanted may change, or be taken back, while the new one opens.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:tls';
import { test, type TestContext } from 'node:test';
import type { ListenerSpec } from '../../../src/model/tls.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { noTls } from '../../../src/model/tls.ts';
import { createGateway } from '../../../src/proxy/create-gateway.ts';
import type { Gateway } from '../../../src/proxy/gateway.ts';
import { MemoryState } from '../../../src/state/memory.ts';
import { freePorts } from '../../support/gateway.ts';
import { entryPoint } from '../../support/specs.ts';
import { linesLog, settings } from '../primary/support.ts';

for (const engine of ['uws', 'node'] as const) {
  test(`a version that is taken back while its listener of ${engine} opens leaves the one there was`, async (context) => {
    const { gateway, port } = await open(context);
    gateway.apply(snapshot(2, engine, 'tls'), []);
    await turn();
    gateway.rollback(2);
    await settled();
    assert.equal(await statusOf(port), 404);
    await assert.rejects(handshake(port));
  });
}

test('a listener that is wanted, not wanted and wanted again while it opens is there in the end', async (context) => {
  const { gateway, port } = await open(context);
  gateway.apply(snapshot(2, 'node', 'cleartext'), []);
  await turn();
  gateway.apply(snapshot(3, 'uws', 'cleartext'), []);
  await turn();
  gateway.apply(snapshot(4, 'uws', 'tls'), []);
  await settled();
  await assert.rejects(statusOf(port));
  gateway.apply(snapshot(5, 'uws', 'cleartext'), []);
  await settled();
  assert.equal(await statusOf(port), 404);
});

async function open(context: TestContext): Promise<{ readonly gateway: Gateway; readonly port: number }> {
  const deps = {
    askPrimary: () => Promise.reject(new Error('nobody is there')),
    log: linesLog([]),
    state: new MemoryState(),
  };
  // A port that is given can be listened on twice; one that was found by the kernel cannot.
  const [port = 0] = await freePorts(1);
  const web = { ...entryPoint('web', { port }), host: '127.0.0.1', engine: 'auto' as const };
  const gateway = createGateway({ ...settings, entryPoints: [web] }, deps);
  context.after(() => gateway.close());
  gateway.apply(snapshot(1, 'uws', 'cleartext'), []);
  await gateway.listen();
  return { gateway, port };
}

function snapshot(version: number, engine: 'uws' | 'node', side: ListenerSpec['side']): Snapshot {
  const listener: ListenerSpec = { entryPoint: 'web', engine, side, hosts: [] };
  const tls = { ...noTls, listeners: [listener] };
  return {
    version,
    hash: String(version),
    routers: [],
    services: [],
    middlewares: [],
    transports: [],
    tls,
  };
}

/** Loading an engine takes turns of the loop, and so does every replacement. */
async function settled(): Promise<void> {
  await import('../../../src/proxy/entrypoints/node/listener.ts');
  for (let turns = 0; turns < 50; turns++) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function statusOf(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end();
  });
}

function handshake(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
