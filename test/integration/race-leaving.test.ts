// Gateways that are told to end while they are in the middle of something.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certifiedRouters, mainResolver } from '../support/acme-stage.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const linux = process.platform === 'linux' ? false : 'NOT TESTED: needs Linux';

test('a successor that is told to end just before it takes over leaves the old one in its place', {
  skip: linux,
}, async (context) => {
  const { gateway } = await held(context);
  // The service manager takes its time.
  const told = join(gateway.dir, 'told');
  const go = join(gateway.dir, 'go');
  const slow = join(gateway.dir, 'systemd-notify');
  writeFileSync(slow, `#!/bin/sh\necho "$@" >> ${told}\nwhile [ ! -e ${go} ]; do sleep 0.02; done\n`);
  chmodSync(slow, 0o755);
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const env = {
    ...inherited,
    PATH: `${gateway.dir}:${process.env['PATH'] ?? ''}`,
    NOTIFY_SOCKET: join(gateway.dir, 'socket'),
  };
  const args = [main, 'handover', `--pid=${gateway.pid}`, `--configFile=${join(gateway.dir, 'static.yml')}`];
  const successor = spawn(process.execPath, args, {
    cwd: gateway.dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => void successor.kill('SIGKILL'));
  let output = '';
  for (const stream of [successor.stdout, successor.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const lines = (): string[] => (existsSync(told) ? readFileSync(told, 'utf8').split('\n') : []);
  const ended = once(successor, 'exit');
  await eventually('it says that it is the main process', () => lines().some((line) => /MAINPID/.test(line)));
  successor.kill('SIGTERM');
  await eventually('it ends', () => output.includes('shutdown has begun'));
  writeFileSync(go, '');
  await ended;
  assert.doesNotMatch(gateway.logs(), /shutdown has begun/);
  assert.equal((await fetch(`${gateway.url('web')}/`)).status, 200);
  const mains = lines().filter((line) => line.includes('MAINPID'));
  assert.match(
    mains.at(-1) ?? '',
    new RegExp(`MAINPID=${gateway.pid}\\b`),
    'the manager follows the old one',
  );
  assert.ok(!lines().some((line) => line.includes('STOPPING')), 'the unit goes on');
});

test('a gateway that ends orders no certificates any more, and gives up what it has begun', async (context) => {
  // An authority that never answers.
  let asked = 0;
  let open = 0;
  const authority = createServer(({ socket }) => {
    asked += 1;
    open += 1;
    socket.once('close', () => (open -= 1));
  }).listen(0, '127.0.0.1');
  await once(authority, 'listening');
  context.after(() => {
    authority.closeAllConnections();
    authority.close();
  });
  const caServer = `http://127.0.0.1:${(authority.address() as AddressInfo).port}/directory`;
  const certificatesResolvers = mainResolver({ caServer });
  const { gateway, origin, dynamic, finish } = await held(context, {
    entryPoints: { web: {}, websecure: {} },
    certificatesResolvers,
  });
  const withHosts = (...hosts: string[]): object => ({
    http: {
      routers: { ...dynamic.http.routers, ...certifiedRouters(hosts) },
      services: { ...dynamic.http.services, origin: { loadBalancer: { servers: [{ url: origin }] } } },
    },
  });
  gateway.putDynamic(withHosts('first.example.test'));
  await eventually('the authority is asked', () => open === 1);
  const answer = fetch(`${gateway.url('web')}/slow`).then((response) => response.text());
  await eventually('the server has a request', () => finish.length === 1);
  gateway.signal('SIGTERM');
  await gateway.waitForLog(/shutdown has begun/);
  await eventually('what was begun is given up', () => open === 0, 5_000);
  const before = asked;
  gateway.putDynamic(withHosts('first.example.test', 'second.example.test'));
  await gateway.waitForLog(
    /"version":3[^\n]*configuration is in force|configuration is in force[^\n]*"version":3/,
  );
  finish[0]?.();
  assert.equal(await answer, 'late');
  assert.equal((await gateway.exited).code, 0);
  assert.equal(asked, before);
});

test('a roll that a shutdown interrupts is no failure', async (context) => {
  const { gateway } = await held(context);
  const [old] = gateway.workerPids();
  gateway.signal('SIGUSR2');
  await eventually('a new worker starts', () => gateway.workerPids().some((pid) => pid !== old));
  gateway.signal('SIGTERM');
  assert.equal((await gateway.exited).code, 0);
  assert.doesNotMatch(gateway.logs(), /"level":"error"|does not serve|workers are replaced/);
});

interface HeldStage {
  readonly gateway: TestGateway;
  readonly origin: string;
  readonly dynamic: { readonly http: { readonly routers: object; readonly services: object } };
  /** One for each request to `/slow`. */
  readonly finish: (() => void)[];
}

/** One worker, and a server that answers `/slow` when it is told to. */
async function held(context: TestContext, more: object = {}): Promise<HeldStage> {
  const finish: (() => void)[] = [];
  const origin = await startOrigin({
    answer(asked, response) {
      if (asked.url === '/slow') finish.push(() => response.end('late'));
      else response.end('here');
    },
  });
  context.after(() => origin.stop());
  const dynamic = {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 's', entryPoints: ['web'] } },
      services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  };
  const gateway = await startGateway({ static: more, dynamic });
  context.after(() => gateway.stop());
  return { gateway, origin: origin.url, dynamic, finish };
}
