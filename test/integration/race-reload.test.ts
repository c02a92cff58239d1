// Reloads while one worker lags behind: nothing is promised before all run it, nothing that was said meanwhile stays.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { startServiceManager } from '../support/service-manager.ts';

const noManager =
  spawnSync('systemd-notify', ['--version']).status === 0 && spawnSync('perl', ['-v']).status === 0
    ? false
    : 'systemd-notify and perl are needed';

test('the service manager hears that a reload is over only when every worker runs it', {
  skip: noManager,
}, async (context) => {
  const manager = await startServiceManager();
  context.after(() => manager.close());
  const gateway = await startGateway({ workers: 2, env: { NOTIFY_SOCKET: manager.socket } });
  context.after(() => gateway.stop());
  const ready = (): number => manager.told.filter((line) => line.startsWith('READY=1')).length;
  await eventually('it is ready', () => ready() === 1);
  const [slow] = gateway.workerPids() as [number];
  process.kill(slow, 'SIGSTOP');
  try {
    gateway.putDynamic(routesTo('http://127.0.0.1:1', null, 'PathPrefix(`/`)'));
    gateway.signal('SIGHUP');
    await eventually('it reloads', () => manager.told.some((line) => line.startsWith('RELOADING=1')));
    await sleep(500);
    assert.equal(ready(), 1);
  } finally {
    process.kill(slow, 'SIGCONT');
  }
  await eventually('it is ready again', () => ready() === 2);
  assert.match(
    gateway.logs(),
    /"version":2[^\n]*configuration is in force|configuration is in force[^\n]*"version":2/,
  );
});

test('a server that goes down between two versions, the newer of which does not check it, is asked again', async (context) => {
  let health = 200;
  const origin = await startOrigin({
    answer(asked, response) {
      response.writeHead(asked.url === '/health' ? health : 200).end();
    },
  });
  context.after(() => origin.stop());
  const check = { path: '/health', interval: '50ms', unhealthyInterval: '50ms' };
  const gateway = await startGateway({
    workers: 2,
    dynamic: routesTo(origin.url, check, 'Path(`/old`)'),
  });
  context.after(() => gateway.stop());
  await eventually('it serves', async () => (await statusOf(gateway.port('web'), '/old')) === 200);
  const [slow] = gateway.workerPids() as [number];
  process.kill(slow, 'SIGSTOP');
  try {
    gateway.putDynamic(routesTo(origin.url, null, 'Path(`/new`)'));
    await eventually(
      'the other worker runs it',
      async () => (await statusOf(gateway.port('web'), '/new')) === 200,
    );
    health = 500;
    await gateway.waitForLog(/server is down/);
  } finally {
    process.kill(slow, 'SIGCONT');
  }
  await gateway.waitForLog(
    /"version":2[^\n]*configuration is in force|configuration is in force[^\n]*"version":2/,
  );
  await eventually(
    'both workers ask it',
    async () => {
      for (let i = 0; i < 24; i++) if ((await statusOf(gateway.port('web'), '/new')) !== 200) return false;
      return true;
    },
    3_000,
  );
});

function routesTo(url: string, healthCheck: object | null, rule: string): object {
  const loadBalancer = { servers: [{ url }], ...(healthCheck === null ? {} : { healthCheck }) };
  return {
    http: {
      routers: { web: { rule, service: 'web', entryPoints: ['web'] } },
      services: { web: { loadBalancer } },
    },
  };
}

/** On a connection of its own; 0 when the worker that got it does not answer. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', path, agent: false, timeout: 300 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(0));
    sent.end();
  });
}
