// The image: what is in it, and that it runs with nothing but what it brings.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bareBase, buildImages } from '../support/image-base.ts';
import { type Inspected, inspect } from '../support/image-compose.ts';
import { type ImageEngine, startImageEngine, withoutImages } from '../support/image-engine.ts';
import { eventually } from '../support/gateway.ts';

interface ImageConfig {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[] | null;
    readonly StopSignal: string;
    readonly ExposedPorts: object;
    readonly Labels: Record<string, string>;
    readonly Healthcheck: { readonly Test: readonly string[] };
  };
}

interface Layer {
  readonly CreatedBy: string;
  readonly Size: number;
}

const megabyte = 1_000_000;

describe('the image', { skip: withoutImages() }, () => {
  let engine: ImageEngine;

  before(async () => {
    const steps = await buildImages();
    process.stdout.write(`built: ${JSON.stringify(steps)} ms\n`);
    engine = await startImageEngine('run');
  });
  after(() => engine?.stop());

  test('is for a user without rights, is asked for its health, and holds no secret', async () => {
    const { Config } = await engine.ask<ImageConfig>('GET', '/images/portcullis/json');
    assert.equal(Config.User, '65532:65532');
    assert.deepEqual(Config.Entrypoint, ['portcullis']);
    assert.equal(Config.Cmd ?? null, null);
    assert.equal(Config.StopSignal, 'SIGTERM');
    assert.deepEqual(Object.keys(Config.ExposedPorts), ['80/tcp']);
    assert.deepEqual(Config.Healthcheck.Test, ['CMD', 'portcullis', 'healthcheck', '--pid=1']);
    assert.deepEqual(
      Config.Env.map((entry) => entry.split('=')[0]),
      ['PATH'],
    );
    assert.equal(Config.Labels['org.opencontainers.image.title'], 'Portcullis');
  });

  test('adds little more to its base than Node', async (context) => {
    const layers = await engine.ask<readonly Layer[]>('GET', '/images/portcullis/history');
    for (const { CreatedBy, Size } of layers)
      if (Size > 0) context.diagnostic(`${(Size / megabyte).toFixed(1)} MB: ${CreatedBy.slice(0, 110)}`);
    const { Size: whole } = await engine.ask<ImageConfig>('GET', '/images/portcullis/json');
    const { Size: base } = await engine.ask<ImageConfig>('GET', '/images/debian:trixie-slim/json');
    const [bare, below] = await Promise.all(
      ['portcullis-bare', bareBase].map((name) => engine.ask<ImageConfig>('GET', `/images/${name}/json`)),
    );
    context.diagnostic(
      `${mega(whole)} on ${mega(base)}; bare ${mega(bare?.Size ?? 0)} on ${mega(below?.Size ?? 0)}`,
    );
    assert.ok(whole - base < 200 * megabyte, mega(whole - base));
  });

  test('has no source, no development package and no addon for another system; its user owns four folders', async () => {
    const listed = await contents(engine, 'portcullis');
    const names = listed.map(({ name }) => name);
    const addons = names.filter((name) => /(?<!LICENSE)\.node$/.test(name));
    assert.equal(addons.length, 1, addons.join());
    assert.match(addons[0] ?? '', new RegExp(`uws_linux_${process.arch}_137\\.node$`));
    const ours = names.filter((name) => name.startsWith('opt/portcullis/'));
    assert.deepEqual(
      ours.filter((name) =>
        /(?<!\.d)\.([mc]?ts|map)$|\/(typescript|vite|playwright-core|knip|@biomejs)\/./.test(name),
      ),
      [],
    );
    assert.ok(ours.includes('opt/portcullis/dist/main.js'));
    assert.ok(ours.includes('opt/portcullis/dist/dashboard/index.html'));
    assert.ok(ours.some((name) => name.endsWith('node_modules/undici/LICENSE')));
    const owned = listed.filter(({ owner }) => owner === '65532/65532').map(({ name }) => name);
    assert.deepEqual(owned.sort(), ['certificates/', 'data/', 'letsencrypt/', 'logs/']);
    const open = listed.filter(
      ({ name, mode }) => /^(opt|usr\/local)\//.test(name) && mode[8] === 'w' && mode[0] !== 'l',
    );
    assert.deepEqual(open, []);
  });

  for (const image of ['portcullis', 'portcullis-bare'])
    test(`${image} runs read-only, without capabilities and on port 80, survives its workers and ends with 0`, async (context) => {
      const id = await start(engine, image, [
        '--entryPoints.web.address=:80',
        '--ping=true',
        '--ping.entryPoint=web',
        '--log.level=INFO',
      ]);
      const healthy = await eventually('healthy', () => healthIs(engine, id, 'healthy'), 30_000);
      // A worker that dies before all serve is a start that failed.
      await eventually(
        'all serve',
        async () => (await engine.docker(['logs', id])).includes('listening'),
        20_000,
      );
      const { HostConfig, State } = await inspect(engine, id);
      assert.equal(HostConfig.ReadonlyRootfs, true);
      assert.match(State.Health?.Log.at(-1)?.Output ?? '', /^OK: http:\/\/:80\/ping\n$/);
      const [first, ...workers] = await processes(engine, id);
      assert.ok(workers.length >= 1);
      assert.ok([first, ...workers].every((one) => one?.uid === '65532'));
      context.diagnostic(
        `healthy after ${Math.round(healthy)} ms; ${[first, ...workers].map((one) => `${one?.rss} KiB`).join(' + ')}`,
      );
      for (const { pid } of workers) process.kill(pid, 'SIGKILL');
      await eventually('other workers, and no corpses', async () => {
        const now = await processes(engine, id);
        const others = now.filter(
          ({ pid }) => pid !== first?.pid && !workers.some((worker) => worker.pid === pid),
        );
        return others.length === workers.length && now.every(({ state }) => !state.startsWith('Z'));
      });
      await eventually(
        'asked by hand',
        async () => (await exec(engine, id, ['traefik', 'healthcheck', '--pid=1'])) === 0,
      );
      const took = await stopped(engine, id);
      context.diagnostic(`stopped in ${Math.round(took)} ms`);
      const ended = await inspect(engine, id);
      assert.deepEqual([ended.State.ExitCode, ended.State.OOMKilled], [0, false]);
      await engine.ask('DELETE', `/containers/${id}`);
    });

  test('its own health check finds a gateway without ping, and one that does not listen is not healthy', async () => {
    const id = await start(engine, 'portcullis', ['--entryPoints.web.address=:8000']);
    await eventually('healthy', () => healthIs(engine, id, 'healthy'), 30_000);
    const { State } = await inspect(engine, id);
    assert.match(State.Health?.Log.at(-1)?.Output ?? '', /takes connections/);
    // A stopped process: the kernel takes connections for it, the gateway answers none.
    await engine.ask('DELETE', `/containers/${id}?force=true`);
    const stuck = await start(engine, 'portcullis', [
      '--entryPoints.web.address=:8000',
      '--ping=true',
      '--ping.entryPoint=web',
    ]);
    await eventually('healthy', () => healthIs(engine, stuck, 'healthy'), 30_000);
    const all = await processes(engine, stuck);
    for (const { pid } of all) process.kill(pid, 'SIGSTOP');
    await eventually('unhealthy', () => healthIs(engine, stuck, 'unhealthy'), 30_000);
    for (const { pid } of all) process.kill(pid, 'SIGCONT');
    await eventually('healthy again', () => healthIs(engine, stuck, 'healthy'), 30_000);
    await engine.ask('DELETE', `/containers/${stuck}?force=true`);
  });

  test('an init before it changes nothing', async () => {
    const flags = ['--entryPoints.web.address=:80', '--ping=true', '--ping.entryPoint=web'];
    const id = await start(engine, 'portcullis', flags, { Init: true });
    await eventually('healthy', () => healthIs(engine, id, 'healthy'), 30_000);
    await stopped(engine, id);
    assert.equal((await inspect(engine, id)).State.ExitCode, 0);
    await engine.ask('DELETE', `/containers/${id}`);
  });
});

/** Asked for its health every second instead of every ten. */
async function start(
  engine: ImageEngine,
  image: string,
  flags: readonly string[],
  more: object = {},
): Promise<string> {
  const second = 1e9;
  const { Id } = await engine.ask<{ Id: string }>('POST', '/containers/create', {
    Image: image,
    Cmd: flags,
    Healthcheck: { Interval: second, Timeout: 8 * second, Retries: 2, StartPeriod: 0 },
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      // What does not need it must not get it: only a base with an old C library writes its addon somewhere.
      ...more,
    },
  });
  await engine.ask('POST', `/containers/${Id}/start`);
  return Id;
}

async function healthIs(engine: ImageEngine, id: string, wanted: string): Promise<boolean> {
  const { State }: Inspected = await inspect(engine, id);
  if (State.Status === 'exited') throw new Error(await engine.docker(['logs', id]));
  return State.Health?.Status === wanted;
}

async function stopped(engine: ImageEngine, id: string): Promise<number> {
  const started = performance.now();
  await engine.ask('POST', `/containers/${id}/stop?t=20`);
  return performance.now() - started;
}

async function exec(engine: ImageEngine, id: string, Cmd: readonly string[]): Promise<number | null> {
  const { Id } = await engine.ask<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd });
  await engine.ask('POST', `/exec/${Id}/start`, { Detach: true });
  let code: number | null = null;
  await eventually('it has run', async () => {
    const state = await engine.ask<{ Running: boolean; ExitCode: number | null }>('GET', `/exec/${Id}/json`);
    code = state.ExitCode;
    return !state.Running && code !== null;
  });
  return code;
}

interface ContainerProcess {
  readonly pid: number;
  readonly uid: string;
  readonly state: string;
  /** KiB. */
  readonly rss: string;
}

/** The gateway's processes, first its primary; health checks that happen to run are left out. */
async function processes(engine: ImageEngine, id: string): Promise<readonly ContainerProcess[]> {
  const { Pid } = (await inspect(engine, id)).State;
  const answer = await engine.ask<{ Processes: readonly (readonly string[])[] }>(
    'GET',
    `/containers/${id}/top?ps_args=${encodeURIComponent('-eo pid,uid,stat,rss,args')}`,
  );
  return answer.Processes.filter((words) => !words.join(' ').includes('healthcheck'))
    .map(([pid = '', uid = '', state = '', rss = '']) => ({ pid: Number(pid), uid, state, rss }))
    .sort((a, b) => Number(b.pid === Pid) - Number(a.pid === Pid));
}

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly name: string;
}

async function contents(engine: ImageEngine, image: string): Promise<readonly Entry[]> {
  const { Id } = await engine.ask<{ Id: string }>('POST', '/containers/create', { Image: image });
  const { output } = await engine.inside(
    'sh',
    '-c',
    `docker -H unix://${engine.socket} export ${Id} | tar --numeric-owner -tvf -`,
  );
  await engine.ask('DELETE', `/containers/${Id}`);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [mode = '', owner = '', , , , ...name] = line.split(/\s+/);
      return {
        mode,
        owner,
        name: name
          .join(' ')
          .replace(/^\.\//, '')
          .replace(/ -> .*/, ''),
      };
    });
}

function mega(bytes: number): string {
  return `${(bytes / megabyte).toFixed(1)} MB`;
}
