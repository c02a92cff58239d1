// The example with labels, brought up by docker-compose on a real engine; every command of its README answers as shown.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { eventually } from '../support/gateway.ts';
import { buildImages } from '../support/image-base.ts';
import { inspect } from '../support/image-compose.ts';
import { type ImageEngine, startImageEngine, withoutImages } from '../support/image-engine.ts';
import { difference, readReadme, runSteps } from '../support/transcript.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = `${root}examples/docker-labels/compose.yml`;
const skip = withoutCompose();

describe('docker-labels in containers', { skip }, () => {
  let engine: ImageEngine;
  let dir: string;

  before(async () => {
    await buildImages();
    engine = await startImageEngine('run');
    dir = mkdtempSync(join(tmpdir(), 'example-compose-'));
    // There is no registry here: the filter before the socket is one of ours that lets the same through.
    writeFileSync(
      join(dir, 'stand-in.yml'),
      stringify({ services: { 'socket-proxy': filter(engine.socket) } }),
    );
    const { code, output } = await compose('up', '-d', '--no-build');
    assert.equal(code, 0, output);
    await eventually('the labels of all', () => answers('/admin', 401), 60_000).catch(
      async (error: unknown) => {
        throw new Error(
          `${String(error)}\n${(await compose('logs', '--no-color', 'gateway', 'socket-proxy')).output}`,
        );
      },
    );
    await eventually(
      'both replicas',
      async () => (await statuses()).filter((one) => one === 'omni2').length >= 2,
    );
  });
  after(async () => {
    await engine?.stop();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  });

  test('every command of its README answers what is shown', async (context) => {
    const { start, steps } = readReadme(`${root}examples/docker-labels/README.md`);
    assert.equal(start, 'docker compose -f examples/docker-labels/compose.yml up -d --build');
    const [, namespace = ''] =
      /(pcimage\d+)/.exec((await engine.inside('ip', 'netns', 'identify')).output) ?? [];
    const results = await runSteps(steps, { cwd: root, before: ['ip', 'netns', 'exec', namespace] });
    const { output } = await compose('logs', '--no-color', '--tail=40', 'gateway');
    assert.equal(difference(results), '', `${difference(results)}\n${output}`);
    context.diagnostic(`${results.length} commands answered as shown`);
  });

  test('it goes down within its grace', async () => {
    const { code, output } = await compose('down', '-t', '20');
    assert.equal(code, 0, output);
    assert.equal((await engine.ask<unknown[]>('GET', '/containers/json?all=1')).length, 0);
  });

  test('the gateway of the pair, from ops/compose/ha.yml: on ports of the host, with one right', async () => {
    // Beside a copy, since the configuration lies beside the file; this machine gives no more descriptors than that.
    const beside = join(dir, 'pair');
    mkdirSync(join(beside, 'gateway'), { recursive: true });
    writeFileSync(join(beside, 'gateway/dynamic.yml'), stringify(pairConfiguration));
    const text = readFileSync(`${root}ops/compose/ha.yml`, 'utf8');
    // Debian's docker-compose is older than the key `name`.
    writeFileSync(join(beside, 'ha.yml'), text.replace(/^name:.*\n/m, '').replace('1048576', '20000'));
    const up = [
      'env',
      `DOCKER_HOST=unix://${engine.socket}`,
      'NODE=a',
      'docker-compose',
      '-f',
      join(beside, 'ha.yml'),
    ];
    const { code, output } = await engine.inside(...up, 'up', '-d', '--no-build', 'gateway');
    assert.equal(code, 0, output);
    const [{ Id }] = (await engine.ask('GET', '/containers/json')) as [{ Id: string }];
    const status = async (url: string): Promise<string> =>
      (await engine.inside('curl', '-s', '-m', '2', '-o', '/dev/null', '-w', '%{http_code}', url)).output;
    await eventually(
      'it serves on port 80',
      async () => (await status('http://127.0.0.1/')) === '302',
      20_000,
    );
    assert.equal(await status('http://127.0.0.1:8080/ping'), '200');
    await eventually(
      'healthy',
      async () => (await inspect(engine, Id)).State.Health?.Status === 'healthy',
      40_000,
    );
    const { State, HostConfig } = await inspect(engine, Id);
    const rights = /CapEff:\s*(\w+)/.exec(readFileSync(`/proc/${State.Pid}/status`, 'utf8'))?.[1];
    assert.equal(BigInt(`0x${rights}`), 1n << 10n, 'NET_BIND_SERVICE and nothing else');
    assert.equal(HostConfig.ReadonlyRootfs, true);
    await engine.ask('POST', `/containers/${Id}/stop?t=20`);
    assert.equal((await inspect(engine, Id)).State.ExitCode, 0);
  });

  function compose(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
    const files = ['-f', file, '-f', join(dir, 'stand-in.yml'), '-p', 'docker-labels'];
    const env = [
      `DOCKER_HOST=unix://${engine.socket}`,
      `DOCKER_SOCKET=${engine.socket}`,
      'DOCKER_CONFIG=/nonexistent',
    ];
    return engine.inside('env', ...env, 'docker-compose', ...files, ...args);
  }

  async function answers(path: string, status: number): Promise<boolean> {
    const flags = ['-s', '-m', '2', '-o', '/dev/null', '-w', '%{http_code}'];
    const { output } = await engine.inside('curl', ...flags, `http://127.0.0.1:8090${path}`);
    return output === String(status);
  }

  /** The services whose containers run, one name for each container. */
  async function statuses(): Promise<readonly string[]> {
    const all = await engine.ask<{ Labels: Record<string, string>; State: string }[]>(
      'GET',
      '/containers/json',
    );
    return all
      .filter(({ State }) => State === 'running')
      .map(({ Labels }) => Labels['com.docker.compose.service'] ?? '');
  }
});

/** A page that needs no server. */
const pairConfiguration = {
  http: {
    routers: {
      here: { rule: 'Path(`/`)', entryPoints: ['web'], service: 'noop@internal', middlewares: ['say'] },
    },
    middlewares: { say: { redirectRegex: { regex: '.*', replacement: 'http://here/' } } },
  },
};

function filter(socket: string): object {
  return {
    image: 'node:24-trixie-slim',
    user: '0:0',
    entrypoint: ['node', '/app/test/support/image-service.ts', 'socket-proxy', '2375'],
    volumes: [`${root}:/app:ro`, `${socket}:/var/run/docker.sock:ro`],
  };
}

function withoutCompose(): string | false {
  const why = withoutImages();
  if (why !== false) return why;
  if (spawnSync('sh', ['-c', 'command -v docker-compose']).status === 0) return false;
  process.stderr.write('!! NOT TESTED: the example in containers: docker-compose missing\n');
  return 'docker-compose missing';
}
