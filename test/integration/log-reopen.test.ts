// Logs that cannot be opened, anew or by a worker that comes later: nobody dies of it, and one line tells.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/ask.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
/** Of nobody in particular: no account is needed for numbers. */
const workerUser = '41234:41235';

let origin: Origin;
before(async () => {
  origin = await startOrigin();
});
after(() => origin?.stop());

test('an access log whose place a directory has taken goes on into the old file, until that is mended', async (t) => {
  const { gateway, path } = await start(t, {});
  const workers = gateway.workerPids();
  renameSync(path, `${path}.1`);
  mkdirSync(path);
  gateway.signal('SIGUSR1');
  await gateway.waitForLog(/(cannot be opened anew[^]*){2}/, 2000);
  await linesIn(gateway, `${path}.1`, 'old');
  for (const line of failures(gateway.logs())) {
    assert.equal(line['level'], 'error');
    assert.match(String(line['message']), /^the access log cannot be opened anew: .*old file.*SIGUSR1/);
    assert.match(String(line['message']), /EISDIR/);
    assert.ok(String(line['message']).includes(path));
  }
  assert.equal(failures(gateway.logs()).length, 2);
  assert.deepEqual(gateway.workerPids(), workers);

  rmSync(path, { recursive: true });
  gateway.signal('SIGUSR1');
  await linesIn(gateway, path, 'new');
  assert.deepEqual(gateway.workerPids(), workers);
  assert.equal(failures(gateway.logs()).length, 2);
});

test('an access log in a folder that is closed to the workers’ user goes on into the old file', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const { gateway, path, folder } = await start(t, { workerUser });
  const workers = gateway.workerPids();
  renameSync(path, `${path}.1`);
  chmodSync(folder, 0o700);
  gateway.signal('SIGUSR1');
  await eventually('each worker tells', () => failures(gateway.logs()).length >= 2);
  await linesIn(gateway, `${path}.1`, 'old');
  assert.ok(failures(gateway.logs()).every(({ message }) => String(message).includes('EACCES')));
  assert.deepEqual(gateway.workerPids(), workers);

  chmodSync(folder, 0o755);
  gateway.signal('SIGUSR1');
  await linesIn(gateway, path, 'new');
  assert.deepEqual(gateway.workerPids(), workers);
});

test('an access log that the primary cannot make for its workers leaves the other log opened anew', {
  skip: isRoot ? false : 'needs root',
}, async (t) => {
  const { path, send, signal, own } = await startByHand(t, { workerUser }, true);
  renameSync(path, `${path}.1`);
  renameSync(own, `${own}.1`);
  mkdirSync(path);
  signal('SIGUSR1');
  await eventually('the log is a new file', () => has(own, 'logs are opened anew'));
  await eventually('primary and workers tell', () => failures(text(own) + text(`${own}.1`)).length >= 3);
  const told = failures(text(own) + text(`${own}.1`));
  assert.ok(told.every(({ message }) => String(message).startsWith('the access log cannot')));
  assert.equal(await send('/after'), 200);
  await eventually('a line in the old file', () => has(`${path}.1`, '/after'));
});

test('a log whose place a directory has taken ends neither primary nor workers', async (t) => {
  const { own, send, signal, workers, output, stop } = await startByHand(t, {}, false);
  const before = workers();
  renameSync(own, `${own}.1`);
  mkdirSync(own);
  signal('SIGUSR1');
  await eventually('every process tells', () => failures(text(`${own}.1`)).length >= 3);
  assert.equal(failures(text(`${own}.1`)).length, 3);
  // Whoever looks at the terminal, or into the journal, is told as well.
  await eventually('the primary says so', () => output().includes('the log cannot be opened anew: EISDIR'));
  assert.equal(await send('/'), 200);
  assert.deepEqual(workers(), before);

  rmSync(own, { recursive: true });
  signal('SIGUSR1');
  await eventually('the log is a new file', () => has(own, 'logs are opened anew'));
  assert.deepEqual(workers(), before);
  assert.equal(await stop(), 0);
});

test('workers that start while no log can be opened serve, tell it, and write once the logs can be', async (t) => {
  const { own, path, send, workers, output } = await startByHand(t, {}, true);
  const before = workers();
  for (const file of [own, path]) {
    renameSync(file, `${file}.1`);
    mkdirSync(file);
  }
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await eventually('both successors say so', () => failures(output()).length === 4, 20_000);
  const told = failures(output()).map(({ message }) => String(message));
  assert.equal(
    told.filter((line) => /^the log cannot be opened: EISDIR.*standard output/.test(line)).length,
    2,
  );
  assert.equal(told.filter((line) => /^the access log cannot be opened: EISDIR.*lost/.test(line)).length, 2);
  await eventually('they serve', () => send('/').then(Boolean, () => false), 20_000);
  assert.ok(workers().every((pid) => !before.includes(pid)));
  assert.equal(await send('/lost'), 200);

  for (const file of [own, path]) rmSync(file, { recursive: true });
  await eventually('a line in the new access log', async () => {
    assert.equal(await send('/kept'), 200);
    return has(path, '/kept');
  });
  await eventually('the end of it is told', () => has(own, 'the access log could be opened at last'));
  assert.ok(!text(path).includes('/lost'));
});

test('a gateway whose access log cannot be opened does not start, and says which', async (t) => {
  const { folder, path } = openFolder(t);
  mkdirSync(path);
  const config = { entryPoints: { web: { address: '127.0.0.1:0' } }, accessLog: { filePath: path } };
  writeFileSync(join(folder, 'static.yml'), JSON.stringify(config));
  const child = spawn(process.execPath, [main, `--configFile=${join(folder, 'static.yml')}`]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 1);
  assert.match(output, /the access log cannot be opened: EISDIR/);
  assert.ok(output.includes(path));
});

interface Started {
  readonly gateway: TestGateway;
  readonly folder: string;
  readonly path: string;
}

/** Two workers; the log stays on standard output. */
async function start(t: TestContext, settings: object): Promise<Started> {
  const { folder, path } = openFolder(t);
  const gateway = await startGateway({
    workers: 2,
    env: { TMPDIR: '/tmp' },
    static: { entryPoints: { web: {} }, accessLog: { filePath: path }, ...settings },
    dynamic: routes(),
  });
  t.after(() => gateway.stop());
  return { gateway, folder, path };
}

interface ByHand {
  /** Of the access log, and of the log. */
  readonly path: string;
  readonly own: string;
  send(target: string): Promise<number>;
  signal(name: NodeJS.Signals): void;
  workers(): number[];
  /** Standard output and error. */
  output(): string;
  /** The exit code. */
  stop(): Promise<number | null>;
}

/** With the log in a file, where `startGateway` would not see that it listens. */
async function startByHand(t: TestContext, settings: object, writesAccess: boolean): Promise<ByHand> {
  const { folder, path } = openFolder(t);
  const own = join(folder, 'own.log');
  const [port] = (await freePorts(1)) as [number];
  const config = {
    workers: 2,
    entryPoints: { web: { address: `127.0.0.1:${port}` } },
    log: { level: 'INFO', format: 'json', filePath: own },
    ...(writesAccess ? { accessLog: { filePath: path } } : {}),
    providers: { file: { filename: join(folder, 'dynamic.yml') } },
    ...settings,
  };
  writeFileSync(join(folder, 'dynamic.yml'), JSON.stringify(routes()));
  writeFileSync(join(folder, 'static.yml'), JSON.stringify(config));
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = [main, `--configFile=${join(folder, 'static.yml')}`];
  const child = spawn(process.execPath, args, { env: { ...env, TMPDIR: '/tmp' }, cwd: folder });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit');
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    await ended;
    return child.exitCode;
  };
  t.after(stop);
  const send = async (target: string): Promise<number> =>
    (await ask(port, { host: 'a.test', target })).status;
  await eventually('two workers serve', () => has(own, '"listening"'), 20_000);
  const workers = (): number[] =>
    text(`/proc/${child.pid}/task/${child.pid}/children`).trim().split(' ').map(Number);
  return { path, own, send, signal: (name) => void child.kill(name), workers, output: () => output, stop };
}

/** Everybody may look into it, unlike into the runner's own folder for temporary files. */
function openFolder(t: TestContext): { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync('/tmp/portcullis-reopen-');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return { folder, path: join(folder, 'access.log') };
}

function routes(): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 's', entryPoints: ['web'] } },
      services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
    },
  };
}

async function send(gateway: TestGateway, target: string): Promise<void> {
  const answer = await ask(gateway.port('web'), { host: 'a.test', target });
  assert.equal(answer.status, 200, answer.body);
}

/** In rounds, until all lines of one are there: either worker may get the requests. */
async function linesIn(gateway: TestGateway, path: string, name: string): Promise<void> {
  let round = 0;
  await eventually(`all lines of a round in ${path}`, async () => {
    round += 1;
    const targets = Array.from({ length: 10 }, (_, i) => `/${name}-${round}-${i}/`);
    for (const target of targets) await send(gateway, target);
    const isThere = (): boolean => targets.every((target) => has(path, target));
    return eventually('the lines', isThere, 1000).then(
      () => true,
      () => false,
    );
  });
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function has(path: string, part: string): boolean {
  return text(path).includes(part);
}

function failures(logs: string): readonly Readonly<Record<string, unknown>>[] {
  return logs
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('cannot be opened'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
