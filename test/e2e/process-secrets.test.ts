// What a worker's process shows of the primary's secrets: environment, command line, descriptors.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  openSync,
  closeSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/ask.ts';
import { eventually, freePorts } from '../support/gateway.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const canary = 'canary-8f1c';

/** What no worker needs: of the configuration, of DNS services, of whatever started the gateway. */
const secrets: Readonly<Record<string, string>> = {
  TRAEFIK_STATE_SECRET: `${canary}-of-the-state-0123456789abcdef`,
  CF_DNS_API_TOKEN: `${canary}-of-dns`,
  AWS_SECRET_ACCESS_KEY: `${canary}-of-the-cloud`,
  NODE_AUTH_TOKEN: `${canary}-of-npm`,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=${canary}-of-traces`,
  https_proxy: `http://user:${canary}@127.0.0.1:1`,
  SOMEBODYS_PASSWORD: `${canary}-of-somebody`,
};

let folder = '';
let primary: ReturnType<typeof spawn>;
let workers: readonly string[] = [];
let secretFile = -1;
let web = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-secrets-'));
  writeFileSync(join(folder, 'held.txt'), canary);
  writeFileSync(
    join(folder, 'dynamic.yml'),
    'http: { routers: { r: { rule: PathPrefix(`/`), service: noop@internal } } }',
  );
  secretFile = openSync(join(folder, 'held.txt'), 'r');
  const [port = 0, api = 0] = await freePorts(2);
  web = port;
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const flags = [
    '--workers=2',
    `--entryPoints.web.address=127.0.0.1:${web}`,
    `--entryPoints.traefik.address=127.0.0.1:${api}`,
    `--providers.file.filename=${join(folder, 'dynamic.yml')}`,
    `--accessLog.filePath=${join(folder, 'access.log')}`,
    '--state.redis.endpoints=127.0.0.1:1',
    `--state.redis.password=${canary}-of-redis`,
    '--workerEnv=WANTED_BY_A_PLUGIN',
  ];
  primary = spawn(process.execPath, [main, ...flags], {
    cwd: folder,
    env: { ...env, ...secrets, WANTED_BY_A_PLUGIN: 'yes' },
    // As a careless parent would leave it: open, on the next number.
    stdio: ['ignore', 'ignore', 'ignore', secretFile],
  });
  await eventually(
    'it serves',
    () =>
      ask(web, { host: 'a' }).then(
        ({ status }) => status === 418,
        () => false,
      ),
    30_000,
  );
  workers = childrenOf(primary.pid ?? 0);
  assert.ok(workers.length >= 1);
});

after(async () => {
  const ended = new Promise((resolve) => primary.once('exit', resolve));
  primary.kill('SIGTERM');
  await ended;
  closeSync(secretFile);
  rmSync(folder, { recursive: true, force: true });
});

test('no secret of the environment is in the environment of a worker', () => {
  const own = readFileSync(`/proc/${primary.pid}/environ`, 'utf8');
  for (const value of Object.values(secrets)) assert.ok(own.includes(value));
  for (const pid of workers) {
    const names = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    assert.equal(
      names.some((line) => line.includes(canary)),
      false,
      names.map((line) => line.split('=')[0]).join(' '),
    );
    assert.ok(names.some((line) => line.startsWith('PATH=')));
    assert.ok(names.includes('WANTED_BY_A_PLUGIN=yes'));
  }
});

test('no flag of the primary is on the command line of a worker', () => {
  for (const pid of workers) {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    assert.equal(line.includes(canary), false);
    assert.match(line, /main\.ts\0$/);
  }
});

test('a worker holds no file but its log, and no descriptor of what started the gateway', async () => {
  const mine = new Set(linksOf('self'));
  for (const pid of workers) {
    // The second one may still be on its way.
    await eventually('its log', () => linksOf(pid).includes(join(folder, 'access.log')));
    const files = linksOf(pid).filter((link) => link.startsWith('/') && !link.startsWith('/dev/'));
    assert.deepEqual(
      files.filter((link) => !mine.has(link) || link === join(folder, 'held.txt')),
      [join(folder, 'access.log')],
    );
  }
});

/** A link may be gone before it is read. */
function linksOf(pid: string): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}
