// Workers as a user of their own: what a taken-over one could reach, and that nothing it needs is missing.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/ask.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Of nobody in particular: no account is needed for numbers. */
const user = 41_234;
const group = 41_235;
const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

/** The runner's own folder for temporary files is closed to others. */
const openTmp = { TMPDIR: '/tmp' };

/** Answers with what each of its attempts came to. */
const burglar = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { connect } from 'node:net';
  import { list, section, text } from 'portcullis/plugin';
  const tried = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
  const dial = (path) => new Promise((resolve) => {
    const socket = connect(path, () => { socket.destroy(); resolve('done'); });
    socket.on('error', (error) => resolve(error.code));
  });
  export const middleware = {
    schema: section({ read: list, socket: text }),
    build: ({ read, socket }) => ({
      async request(x) {
        const seen = {};
        for (const path of read) {
          seen['read ' + path] = tried(() => readFileSync(path));
          seen['write ' + path] = tried(() => writeFileSync(path, '', { flag: 'a' }));
        }
        seen.socket = await dial(socket);
        return x.answer(200, [], JSON.stringify({ ...seen, groups: process.getgroups() }));
      },
    }),
  };`;

describe('workers of another user', { skip: isRoot ? false : 'needs root' }, () => {
  let folder = '';
  let logs = '';
  let origin: Origin;
  let engine: Server;
  let gateway: TestGateway;

  before(async () => {
    folder = mkdtempSync('/tmp/portcullis-user-');
    chmodSync(folder, 0o755);
    logs = join(folder, 'logs');
    mkdirSync(logs);
    writeFileSync(join(folder, 'acme.json'), '{}', { mode: 0o600 });
    writeFileSync(join(folder, 'secrets.yml'), 'password: open sesame', { mode: 0o600 });
    writeFileSync(join(folder, 'burglar.mjs'), burglar);
    engine = createServer((socket) => socket.end()).listen(join(folder, 'docker.sock'));
    await once(engine, 'listening');
    chmodSync(join(folder, 'docker.sock'), 0o660);
    origin = await startOrigin();
    gateway = await startGateway({
      workers: 2,
      env: openTmp,
      static: {
        ...staticOf(),
        plugins: { burglar: { module: join(folder, 'burglar.mjs') } },
        accessLog: { filePath: join(logs, 'access.log') },
      },
      dynamic: dynamicOf('first'),
    });
  });

  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    engine?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const staticOf = (): object => ({
    workerUser: `${user}:${group}`,
    entryPoints: { web: {} },
    certificatesResolvers: {
      le: { acme: { storage: join(folder, 'acme.json'), httpChallenge: { entryPoint: 'web' } } },
    },
  });

  const dynamicOf = (name: string): object => ({
    http: {
      routers: {
        all: { rule: 'PathPrefix(`/`)', service: 's', entryPoints: ['web'], middlewares: ['named'] },
        steal: {
          rule: 'Path(`/steal`)',
          priority: 100,
          service: 's',
          entryPoints: ['web'],
          middlewares: ['burglar'],
        },
      },
      middlewares: {
        named: { headers: { customResponseHeaders: { 'x-name': name } } },
        burglar: {
          plugin: {
            burglar: {
              read: [join(folder, 'acme.json'), join(folder, 'secrets.yml')],
              socket: join(folder, 'docker.sock'),
            },
          },
        },
      },
      services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  });

  const nameOf = async (): Promise<string> => {
    const answer = await ask(gateway.port('web'), { host: 'a.test' });
    assert.equal(answer.status, 200, answer.body);
    return answer.headers.find((line) => line.startsWith('x-name: '))?.slice(8) ?? '';
  };

  test('a worker is that user, without groups and without capabilities', () => {
    const pids = gateway.workerPids();
    assert.equal(pids.length, 2);
    for (const pid of pids) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, new RegExp(`^Uid:(\\t${user}){4}$`, 'm'));
      assert.match(status, new RegExp(`^Gid:(\\t${group}){4}$`, 'm'));
      assert.match(status, /^Groups:\s*$/m);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
        assert.match(status, new RegExp(`^${set}:\\t0{16}$`, 'm'));
    }
    assert.match(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'), /^Uid:\t0\t/m);
  });

  test('code in a worker can neither read nor write certificates and secrets, nor speak to the container engine', async () => {
    const { body } = await ask(gateway.port('web'), { host: 'a.test', target: '/steal' });
    const { groups, ...seen } = JSON.parse(body) as { groups: number[] } & Record<string, string>;
    assert.equal(Object.keys(seen).length, 5);
    for (const [what, came] of Object.entries(seen)) assert.equal(came, 'EACCES', what);
    assert.deepEqual(
      groups.filter((one) => one !== group),
      [],
    );
  });

  test('a worker of another user cannot look into the primary', () => {
    for (const file of ['environ', 'mem', 'fd']) {
      const tool = file === 'fd' ? 'ls' : 'cat';
      const read = spawnSync(tool, [`/proc/${gateway.pid}/${file}`], {
        uid: user,
        gid: group,
        encoding: 'utf8',
      });
      assert.notEqual(read.status, 0);
      assert.equal(read.stdout, '');
    }
  });

  test('traffic, a reload and a roll go on as ever', async () => {
    assert.equal(await nameOf(), 'first');
    await gateway.writeDynamic(dynamicOf('second'));
    assert.equal(await nameOf(), 'second');
    const before = gateway.workerPids();
    gateway.signal('SIGUSR2');
    await gateway.waitForLog(/workers are replaced/, 20_000);
    assert.equal(await nameOf(), 'second');
    for (const pid of gateway.workerPids()) assert.equal(before.includes(pid), false);
    for (const pid of gateway.workerPids())
      assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^Uid:\\t${user}\\t`, 'm'));
  });

  test('an access log that was moved away begins anew in a folder that only root may write to', async () => {
    const path = join(logs, 'access.log');
    await nameOf();
    await eventually('lines', () => readFileSync(path, 'utf8').includes('GET /'));
    assert.deepEqual([statSync(path).uid, statSync(path).gid, statSync(logs).uid], [user, group, 0]);
    renameSync(path, `${path}.1`);
    gateway.signal('SIGUSR1');
    await gateway.waitForLog(/logs are opened anew/);
    await eventually('lines in the new file', async () => {
      await nameOf();
      return readFileSync(path, 'utf8').includes('GET /');
    });
    assert.deepEqual([statSync(path).uid, statSync(path).gid], [user, group]);
  });

  test('another gateway takes over from one whose workers are another user', async () => {
    const args = ['handover', `--pid=${gateway.pid}`, `--configFile=${join(gateway.dir, 'static.yml')}`];
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const next = spawn(process.execPath, [main, ...args], {
      env: { ...env, ...openTmp },
      cwd: gateway.dir,
      stdio: 'ignore',
    });
    try {
      await gateway.exited;
      assert.equal(await nameOf(), 'second');
    } finally {
      next.kill('SIGTERM');
      await once(next, 'exit');
    }
  });
});

describe('a start that could only keep half of the promise', { skip: isRoot ? false : 'needs root' }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync('/tmp/portcullis-user-');
    chmodSync(folder, 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('a port that the user may not listen on is refused, with what would let it', async () => {
    const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
    if (lowest === 0) return;
    const { code, output } = await startWith({
      entryPoints: { web: { address: `127.0.0.1:${lowest - 1}` } },
    });
    assert.equal(code, 1, output);
    assert.match(output, /entry point web cannot listen on 127\.0\.0\.1:\d+: the user 41234:41235 may not/);
    assert.match(output, /sysctl -w net\.ipv4\.ip_unprivileged_port_start=\d+/);
    assert.match(output, /setcap cap_net_bind_service/);
  });

  test('a log of somebody else is refused', async () => {
    writeFileSync(join(folder, 'old.log'), 'x', { mode: 0o644 });
    const { code, output } = await startWith({ accessLog: { filePath: join(folder, 'old.log') } });
    assert.equal(code, 1, output);
    assert.match(output, /cannot write to the log .*old\.log \(EACCES\): `chown 41234:41235 /);
  });

  test('a log that workers are to rotate in a folder of root’s is refused', async () => {
    const accessLog = { filePath: join(folder, 'rotated.log'), rotation: { maxSize: 1 } };
    const { code, output } = await startWith({ accessLog });
    assert.equal(code, 1, output);
    assert.match(output, /cannot make files in .*portcullis-user-.* \(EACCES\): workers rotate logs/);
  });

  test('a link in the place of a log is not followed', async () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'precious', { mode: 0o600 });
    symlinkSync(target, join(folder, 'link.log'));
    for (const key of ['log', 'accessLog']) {
      const { code, output } = await startWith({ [key]: { filePath: join(folder, 'link.log') } });
      assert.equal(code, 1, output);
      assert.match(output, /ELOOP|cannot write to the log/);
      assert.equal(readFileSync(target, 'utf8'), 'precious');
      assert.equal(statSync(target).uid, 0);
    }
  });

  test('a plugin that the user cannot read is refused', async () => {
    writeFileSync(join(folder, 'own.mjs'), burglar, { mode: 0o600 });
    const { code, output } = await startWith({ plugins: { own: { module: join(folder, 'own.mjs') } } });
    assert.equal(code, 1, output);
    assert.match(output, /cannot read the plugin .*own\.mjs \(EACCES\)/);
  });

  test('a storage of certificates that the user can reach is refused', async () => {
    const open = join(folder, 'open');
    mkdirSync(open, { mode: 0o700 });
    chmodSync(open, 0o777);
    const { code, output } = await startWith({
      certificatesResolvers: {
        le: { acme: { storage: join(open, 'acme.json'), httpChallenge: { entryPoint: 'web' } } },
      },
    });
    assert.equal(code, 1, output);
    assert.match(output, /the user 41234:41235 can reach .*acme\.json/);
  });

  test('a log that the gateway would rotate as root is refused', async () => {
    const { code, output } = await startWith({ log: { filePath: join(folder, 'p.log'), maxSize: 1 } });
    assert.equal(code, 1, output);
    assert.match(output, /logrotate/);
  });

  test('root, an unknown user, and a primary that is not root are refused', async () => {
    assert.match((await startWith({ workerUser: 'root' })).output, /rights it is to take/);
    assert.match(
      (await startWith({ workerUser: 'nobody-like-this' })).output,
      /no such user; give `uid:gid`/,
    );
    assert.match((await startWith({ workerUser: 'a b' })).output, /expected the name of a user or `uid:gid`/);
    const asUser = await startWith({}, { uid: user, gid: group });
    assert.match(asUser.output, /the primary is not root \(user 41234\)/);
  });

  const startWith = async (
    more: object,
    ids: { readonly uid?: number; readonly gid?: number } = {},
  ): Promise<{ readonly code: number | null; readonly output: string }> => {
    const [port] = await freePorts(1);
    const file = join(folder, 'static.yml');
    const config = {
      entryPoints: { web: { address: `127.0.0.1:${port}` } },
      workers: 1,
      workerUser: `${user}:${group}`,
    };
    writeFileSync(file, JSON.stringify({ ...config, ...more }));
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, `--configFile=${file}`], {
      ...ids,
      cwd: '/',
      env: { ...env, ...openTmp },
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { code: status, output: stdout + stderr };
  };
});
