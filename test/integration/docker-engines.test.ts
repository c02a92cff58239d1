// The docker provider on real engines: containers come, change, fail and go while requests run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerEngine,
  type EngineKind,
  startEngine,
  withoutEngine,
} from '../support/container-engine.ts';
import { type TestGateway, eventually, freePorts, startGateway } from '../support/gateway.ts';

for (const kind of ['docker', 'podman'] as const satisfies readonly EngineKind[]) {
  describe(`the docker provider on ${kind}`, { skip: withoutEngine(kind) }, () => {
    let engine: ContainerEngine;
    let gateway: TestGateway;

    before(async () => {
      engine = await startEngine(kind);
      gateway = await startGateway({
        static: {
          providers: { docker: { endpoint: engine.endpoint, exposedByDefault: false } },
          log: { level: 'DEBUG', format: 'json' },
        },
      });
    });
    after(async () => {
      await gateway?.stop();
      await engine?.stop();
    });

    test('a new container is routed within 2 s, and a changed label as well', async () => {
      const [port = 0] = await freePorts(1);
      await start(engine, 'fresh', port, { rule: 'Path(`/one`)' });
      const first = await eventually('the route', () => serves(gateway, '/one', 'fresh'));
      await engine.remove('fresh');
      await start(engine, 'fresh', port, { rule: 'Path(`/two`)' });
      const second = await eventually('the new route', () => serves(gateway, '/two', 'fresh'));
      assert.equal((await fetch(`${gateway.url('web')}/one`)).status, 404);
      assert.ok(first < 2000 && second < 2000, `${Math.round(first)} ms, ${Math.round(second)} ms`);
      await engine.remove('fresh');
      await eventually(
        'the route is gone',
        async () => (await fetch(`${gateway.url('web')}/two`)).status === 404,
      );
    });

    test('of two replicas one is killed under load, and the other takes over', async (context) => {
      const ports = await freePorts(2);
      const rule = 'Path(`/pair`)';
      await start(engine, 'pair-1', ports[0] ?? 0, { rule, service: 'pair' });
      await start(engine, 'pair-2', ports[1] ?? 0, { rule, service: 'pair' });
      await eventually(
        'both',
        async () => (await serves(gateway, '/pair', 'pair-1')) && serves(gateway, '/pair', 'pair-2'),
      );
      const load = keepAsking(`${gateway.url('web')}/pair`);
      await eventually('load', () => load.answers() > 100);
      await engine.kill('pair-1');
      const before = load.answers();
      await eventually('more of it', () => load.answers() > before + 300);
      const { 'SocketError: other side closed': cut = 0, ...failures } = await load.end();
      context.diagnostic(`${load.answers()} requests, ${cut} cut, failed: ${JSON.stringify(failures)}`);
      assert.deepEqual(failures, {});
      // An answer whose head is on its way when its server is killed cannot be given by another one.
      assert.ok(cut <= clients);
      assert.ok(await serves(gateway, '/pair', 'pair-2'));
      await engine.remove('pair-1');
      await engine.remove('pair-2');
    });

    test('an engine that restarts loses no route and is followed again', async () => {
      const [port = 0, other = 0] = await freePorts(2);
      await start(engine, 'lasting', port, { rule: 'Path(`/lasting`)' });
      await eventually('the route', () => serves(gateway, '/lasting', 'lasting'));
      const load = keepAsking(`${gateway.url('web')}/lasting`);
      await engine.end();
      await gateway.waitForLog(/cannot be followed/);
      await engine.begin();
      await gateway.waitForLog(/the container engine is back/, 20_000);
      await start(engine, 'later', other, { rule: 'Path(`/later`)' });
      await eventually('followed again', () => serves(gateway, '/later', 'later'));
      assert.deepEqual(await load.end(), {});
      await engine.remove('lasting');
      await engine.remove('later');
    });

    test('a container that is told to stop takes no more requests while it finishes', async () => {
      const [port = 0] = await freePorts(1);
      // A shell that ignores SIGTERM for a while, as a server that drains.
      await start(engine, 'draining', port, { rule: 'Path(`/draining`)' });
      await eventually('the route', () => serves(gateway, '/draining', 'draining'));
      await engine.kill('draining', 'TERM');
      await eventually(
        'it is out',
        async () => (await fetch(`${gateway.url('web')}/draining`)).status === 404,
        2000,
      );
      await engine.remove('draining');
    });
  });
}

describe('health checks of docker', { skip: withoutEngine('docker') }, () => {
  test('a container is routed once it is healthy, and no longer when it is not', async (context) => {
    const engine = await startEngine('docker');
    context.after(() => engine.stop());
    const gateway = await startGateway({
      static: { providers: { docker: { endpoint: engine.endpoint, exposedByDefault: false } } },
    });
    context.after(() => gateway.stop());
    const [port = 0] = await freePorts(1);
    await start(engine, 'sick', port, { rule: 'Path(`/sick`)' }, 'test -f /tmp/well');
    await assert.rejects(eventually('no route', () => serves(gateway, '/sick', 'sick'), 1500));
    await exec(engine, 'sick', 'touch /tmp/well');
    await eventually('healthy', () => serves(gateway, '/sick', 'sick'));
    await exec(engine, 'sick', 'rm /tmp/well');
    await eventually('unhealthy', async () => (await fetch(`${gateway.url('web')}/sick`)).status === 404);
  });
});

describe('networks of docker', { skip: withoutEngine('docker') }, () => {
  test('the address is the one on the wanted network, or on the one a label names', async (context) => {
    const netns = `portcullis-${process.pid}`;
    const ip = (...args: string[]): void => assert.equal(spawnSync('ip', args).status, 0, args.join(' '));
    ip('netns', 'add', netns);
    context.after(() => ip('netns', 'delete', netns));
    ip('-n', netns, 'link', 'set', 'lo', 'up');
    const engine = await startEngine('docker', netns);
    context.after(() => engine.stop());
    for (const [name, subnet] of [
      ['public', '10.77.1.0/24'],
      ['private', '10.77.2.0/24'],
    ] as const) {
      const made = { Name: name, IPAM: { Config: [{ Subnet: subnet }] } };
      assert.equal((await engine.ask('POST', '/v1.41/networks/create', made)).status, 201);
    }
    for (const [name, labels] of [
      ['on-both', {}],
      ['labelled', { 'traefik.docker.network': 'private' }],
    ] as const) {
      await engine.run({ name, labels, command: 'sleep 1000', network: 'public', expose: 8000 });
      const joined = await engine.ask('POST', '/v1.41/networks/private/connect', { Container: name });
      assert.equal(joined.status, 200);
    }
    const gateway = await startGateway({
      static: { providers: { docker: { endpoint: engine.endpoint, network: 'public' } } },
    });
    context.after(() => gateway.stop());
    const servers = async (): Promise<string> => {
      const answer = await fetch(`${gateway.url('traefik')}/api/http/services`);
      return [...(await answer.text()).matchAll(/"url":"([^"]+)"/g)]
        .map(([, url]) => url)
        .sort()
        .join(' ');
    };
    await eventually('both', async () =>
      /^http:\/\/10\.77\.1\.\d+:8000 http:\/\/10\.77\.2\.\d+:8000$/.test(await servers()),
    );
    await engine.ask('POST', '/v1.41/networks/public/disconnect', { Container: 'on-both', Force: true });
    await eventually('the address that is left', async () => !(await servers()).includes('10.77.1.'));
  });
});

function start(
  engine: ContainerEngine,
  name: string,
  port: number,
  route: { readonly rule: string; readonly service?: string },
  health?: string,
): Promise<string> {
  const service = route.service ?? name;
  return engine.run({
    name,
    ...(health === undefined ? {} : { health }),
    labels: {
      'traefik.enable': 'true',
      [`traefik.http.routers.${service}.rule`]: route.rule,
      [`traefik.http.services.${service}.loadbalancer.server.port`]: String(port),
    },
    // Answers every path with its name.
    command: [
      'mkdir -p /www',
      `for p in one two pair lasting later draining sick; do echo ${name} > /www/$p; done`,
      `trap "sleep 5; exit" TERM; httpd -f -h /www -p 127.0.0.1:${port} & wait`,
    ].join('; '),
  });
}

async function serves(gateway: TestGateway, path: string, name: string): Promise<boolean> {
  const answer = await fetch(`${gateway.url('web')}${path}`);
  const text = await answer.text();
  return answer.status === 200 && text.trim() === name;
}

const clients = 8;

/** Clients, one request after the other each; what is no 200 is counted by status or error. */
function keepAsking(url: string): { answers(): number; end(): Promise<Record<string, number>> } {
  const failures: Record<string, number> = {};
  let answers = 0;
  let isEnding = false;
  const client = async (): Promise<void> => {
    while (!isEnding) {
      const outcome = await fetch(url).then(
        async (answer) => {
          await answer.text();
          return answer.status === 200 ? null : String(answer.status);
        },
        (error: Error) => String(error.cause ?? error),
      );
      answers += 1;
      if (outcome !== null) failures[outcome] = (failures[outcome] ?? 0) + 1;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    answers: () => answers,
    async end() {
      isEnding = true;
      await all;
      return failures;
    },
  };
}

async function exec(engine: ContainerEngine, name: string, command: string): Promise<void> {
  const body = { Cmd: ['/bin/sh', '-c', command] };
  const made = await engine.ask('POST', `/v1.41/containers/${name}/exec`, body);
  const { Id } = JSON.parse(made.text) as { Id: string };
  await engine.ask('POST', `/v1.41/exec/${Id}/start`, { Detach: true });
}
