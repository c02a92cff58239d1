// A machine that fails under load: its disk is full, its descriptors are used up, its clock jumps.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../support/ask.ts';
import { startLoad, startTested } from '../support/fault-stage.ts';
import { eventually, type TestGateway } from '../support/gateway.ts';
import { type Answer, startOrigin } from '../support/origin.ts';

const options = { timeout: 60_000 };
const isRoot = process.getuid?.() === 0;

test('a disk that is full costs lines of the log and no request, and they come again when there is room', {
  ...options,
  skip: isRoot ? false : 'a small file system needs root',
}, async (t) => {
  const folder = smallDisk(t, '64k');
  const access = join(folder, 'access.log');
  const gateway = await startTested(t, {
    workers: 2,
    static: {
      log: { level: 'INFO', format: 'json' },
      accessLog: { filePath: access, format: 'json' },
    },
    dynamic: routes(await originOf(t)),
  });
  const clients = startLoad(t, gateway, { connections: 8, pause: 2 });
  await eventually('the disk is full', () => isFull(folder), 30_000);
  const before = clients.answered();
  await eventually('requests go on', () => clients.answered() > before + 500, 20_000);
  await gateway.waitForLog(/lines/i);
  rmSync(join(folder, 'ballast'));
  const size = statSync(access).size;
  await eventually('lines come again', () => statSync(access).size > size, 10_000);
  await clients.stop();
  const memory = rssOf(gateway.workerPids());
  t.diagnostic(
    `${clients.answered()} answered, workers of ${memory.map((one) => one.toFixed()).join(' and ')} MiB`,
  );
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  assert.ok(Math.max(...memory) < 250);
});

for (const engine of ['uws', 'node'] as const) {
  test(
    `descriptors that run out on the ${engine} engine end no worker, and with room again all is served`,
    options,
    async (t) => {
      const gateway = await startTested(t, { engine, workers: 1, dynamic: routes(await originOf(t)) });
      const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
      await eventually('load', () => clients.answered() > 200);
      const [worker = 0] = gateway.workerPids();
      const open = Number(execFileSync('sh', ['-c', `ls /proc/${worker}/fd | wc -l`], { encoding: 'utf8' }));
      limitDescriptors(worker, open + 8);
      const crowd = await Promise.all(Array.from({ length: 64 }, () => visitor(gateway.port('web'))));
      const spent = cpuOf(worker);
      await wait(1_500);
      const cpu = (cpuOf(worker) - spent) / 1.5;
      const answered = clients.answered();
      await eventually('connections that are there are served', () => clients.answered() > answered + 50);
      for (const one of crowd) one.destroy();
      limitDescriptors(worker, 1024);
      await eventually('new connections are served', async () => (await statusOf(gateway)) === 200);
      for (let n = 0; n < 50; n += 1) assert.equal(await statusOf(gateway), 200);
      await clients.stop();
      t.diagnostic(
        `${(100 * cpu).toFixed()} % of a core while nobody could be let in, ${clients.losses.length} lost`,
      );
      assert.deepEqual(gateway.workerPids(), [worker]);
      assert.deepEqual(
        clients.losses.filter(({ kind }) => kind === 'cut'),
        [],
      );
      const { 200: _good, 502: _noServer, ...others } = clients.statuses;
      assert.deepEqual(others, {});
    },
  );
}

const fakeTime = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file));

test('a clock that jumps an hour, ahead and back, costs no request, prolongs no decision and fills no bucket', {
  ...options,
  skip: fakeTime === undefined ? 'faketime is not installed' : false,
}, async (t) => {
  const url = await originOf(t);
  let isAllowed = true;
  const auth = await originOf(
    t,
    (_request, response) => void response.writeHead(isAllowed ? 200 : 401).end(),
  );
  const clock = join(tmpdir(), `portcullis-clock-${process.pid}`);
  t.after(() => rmSync(clock, { force: true }));
  writeFileSync(clock, '+0');
  const gateway = await startTested(t, {
    workers: 2,
    env: {
      LD_PRELOAD: fakeTime ?? '',
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      // What a jump of the system's clock leaves alone.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    dynamic: timed(url, auth),
  });
  const pids = gateway.workerPids();
  const clients = startLoad(t, gateway, { connections: 4, pause: 5 });
  const guarded = (): Promise<number> => statusOf(gateway, '/guarded', { authorization: 'Bearer t' });
  for (const [name, jump] of [
    ['ahead', '+3600'],
    ['back', '-3600'],
  ] as const) {
    isAllowed = true;
    await eventually('let in', async () => (await guarded()) === 200);
    for (let n = 0; n < 12; n += 1) await statusOf(gateway, '/limited');
    assert.equal(await statusOf(gateway, '/limited'), 429);
    writeFileSync(clock, jump);
    await eventually(`the clock is ${name}`, async () => Math.abs(await offsetOf(gateway)) > 3_000, 10_000);
    assert.equal(await statusOf(gateway, '/limited'), 429, 'a bucket of ten an hour was filled');
    isAllowed = false;
    const took = await eventually('the decision ends', async () => (await guarded()) === 401, 6_000);
    t.diagnostic(`${name}: a decision of 1 s ended after ${took.toFixed()} ms`);
    assert.ok(took < 3_000);
    const before = clients.answered();
    await eventually('load goes on', () => clients.answered() > before + 300);
  }
  await clients.stop();
  assert.deepEqual([clients.losses, Object.keys(clients.statuses)], [[], ['200']]);
  assert.deepEqual(gateway.workerPids(), pids);
});

function timed(url: string, auth: string): object {
  return {
    http: {
      routers: {
        all: { rule: 'PathPrefix(`/`)', service: 's' },
        guarded: { rule: 'PathPrefix(`/guarded`)', service: 's', middlewares: ['auth'] },
        limited: { rule: 'PathPrefix(`/limited`)', service: 's', middlewares: ['limit'] },
      },
      middlewares: {
        auth: {
          forwardAuth: { address: auth, authRequestHeaders: ['Authorization'], cache: { ttl: '1s' } },
        },
        limit: { rateLimit: { average: 10, period: '1h', burst: 10 } },
      },
      services: { s: { loadBalancer: { servers: [{ url }] } } },
    },
  };
}

/** Seconds by which the gateway's clock differs from ours, by the line that a look at the files brings. */
async function offsetOf(gateway: TestGateway): Promise<number> {
  gateway.signal('SIGHUP');
  await wait(100);
  const last = [...gateway.logs().matchAll(/"time":"([^"]+)"/g)].at(-1)?.[1];
  return last === undefined ? 0 : (Date.parse(last) - Date.now()) / 1000;
}

/** A file system of its own, filled up to a page by `ballast`. */
function smallDisk(t: TestContext, size: string): string {
  const folder = join(tmpdir(), `portcullis-disk-${process.pid}`);
  mkdirSync(folder);
  t.after(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(32_768));
  return folder;
}

function isFull(folder: string): boolean {
  const line = execFileSync('df', ['--output=avail', folder], { encoding: 'utf8' });
  return Number(line.split('\n')[1]) === 0;
}

async function originOf(t: TestContext, answer?: Answer): Promise<string> {
  const origin = await startOrigin(answer === undefined ? {} : { answer });
  t.after(() => origin.stop());
  return origin.url;
}

function routes(url: string): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
      services: { s: { loadBalancer: { servers: [{ url }] } } },
    },
  };
}

function limitDescriptors(pid: number, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`]);
}

/** A client that asks once and stays; whatever becomes of it. */
function visitor(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      resolve(socket);
    });
    socket.on('error', () => resolve(socket));
  });
}

async function statusOf(
  gateway: TestGateway,
  target = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  return await ask(gateway.port('web'), { host: 'a.test', target, headers }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** Seconds, user and system. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** MiB. */
function rssOf(pids: readonly number[]): number[] {
  return pids.map(
    (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
  );
}
