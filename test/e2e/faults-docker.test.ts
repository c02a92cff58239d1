// A container engine that is killed or stands still while requests run to its containers.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../support/ask.ts';
import { type ContainerEngine, startEngine, withoutEngine } from '../support/container-engine.ts';
import { startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, freePorts, type TestGateway } from '../support/gateway.ts';

test('an engine that stands still, and then is killed, under load loses no route and is followed again', {
  skip: withoutEngine('docker'),
  timeout: 150_000,
}, async (t) => {
  const engine = await startEngine('docker');
  t.after(() => engine.stop());
  const gateway = await startTested(t, {
    workers: 2,
    static: {
      log: { level: 'DEBUG', format: 'json' },
      providers: { docker: { endpoint: engine.endpoint, exposedByDefault: false } },
    },
  });
  const [first = 0, second = 0, third = 0] = await freePorts(3);
  await run(engine, 'first', first);
  await eventually('the route', async () => (await statusOf(gateway, 'first')) === 200);
  const clients = startLoad(t, gateway, { path: '/first', connections: 4, pause: 10 });
  await eventually('load', () => clients.answered() > 100);

  process.kill(pidOf(engine), 'SIGSTOP');
  await wait(3_000);
  const before = clients.answered();
  await eventually('load goes on', () => clients.answered() > before + 200);
  process.kill(pidOf(engine), 'SIGCONT');
  await run(engine, 'second', second);
  const took = await eventually(
    'followed again',
    async () => (await statusOf(gateway, 'second')) === 200,
    20_000,
  );

  // With what it runs its containers by, as a service manager does; the containers themselves stay.
  for (const file of ['exec/containerd/containerd.pid', 'pid']) process.kill(pidOf(engine, file), 'SIGKILL');
  // Where nobody reaps what has died, the next one would take it for alive.
  rmSync(fileOf(engine, 'exec/containerd/containerd.pid'));
  await gateway.waitForLog(/cannot be followed/);
  const then = clients.answered();
  await eventually('load goes on', () => clients.answered() > then + 200);
  await engine.begin();
  await gateway.waitForLog(/the container engine is back/, 30_000);
  await run(engine, 'third', third);
  await eventually('followed again', async () => (await statusOf(gateway, 'third')) === 200, 20_000);
  assert.equal(await statusOf(gateway, 'second'), 200);
  await clients.stop();
  t.diagnostic(
    `${clients.answered()} answered; a container of a woken engine is routed after ${took.toFixed()} ms`,
  );
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
});

function pidOf(engine: ContainerEngine, file = 'pid'): number {
  return Number(readFileSync(fileOf(engine, file), 'utf8'));
}

function fileOf(engine: ContainerEngine, name: string): string {
  return join(dirname(engine.endpoint.replace('unix://', '')), name);
}

async function run(engine: ContainerEngine, name: string, port: number): Promise<void> {
  await engine.run({
    name,
    labels: {
      'traefik.enable': 'true',
      [`traefik.http.routers.${name}.rule`]: `Path(\`/${name}\`)`,
      [`traefik.http.services.${name}.loadbalancer.server.port`]: String(port),
    },
    command: `mkdir -p /www; echo ${name} > /www/${name}; exec httpd -f -h /www -p 127.0.0.1:${port}`,
  });
}

async function statusOf(gateway: TestGateway, name: string): Promise<number> {
  return (await ask(gateway.port('web'), { host: 'a.test', target: `/${name}` })).status;
}
