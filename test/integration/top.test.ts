// `top` beside a running gateway: its numbers, and a terminal that is as it was afterwards.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';

const main = path.resolve(import.meta.dirname, '../../src/main.ts');

const dynamic = {
  http: {
    routers: {
      down: { rule: 'PathPrefix(`/down`)', service: 'gone' },
      off: { rule: 'PathPrefix(`/off`)', service: 'nowhere' },
    },
    services: {
      gone: {
        loadBalancer: {
          servers: [{ url: 'http://127.0.0.1:9' }],
          healthCheck: { path: '/', interval: '100ms' },
        },
      },
    },
  },
};

interface Running {
  readonly child: ChildProcess;
  out(): string;
  readonly ended: Promise<number | null>;
}

function start(context: TestContext, command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, TERM: 'xterm' } });
  context.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, out: () => out, ended };
}

const top = (context: TestContext, gateway: TestGateway, ...args: string[]): Running =>
  start(context, process.execPath, [main, 'top', '--endpoint', gateway.url('traefik'), ...args]);

/** In a terminal of 100 by 30. */
function inTerminal(context: TestContext, gateway: TestGateway): Running {
  const run = `exec ${process.execPath} ${main} top --endpoint ${gateway.url('traefik')}`;
  const command = `tty; stty cols 100 rows 30; sh -c 'echo "pid $$"; ${run}'; echo "exit $?"; stty -a`;
  return start(context, 'script', ['-qfec', command, '/dev/null']);
}

test('once, as JSON: what has been asked, what is down and what is off', async (context) => {
  const gateway = await startGateway({ dynamic, workers: 2 });
  context.after(async () => gateway.stop());
  for (let left = 6; left > 0; left -= 1) await fetch(`${gateway.url('web')}/nothing`);
  let numbers: Record<string, unknown> = {};
  await eventually('all is counted', async () => {
    const { out, ended } = top(context, gateway, '--once', '--json');
    assert.equal(await ended, 0, out());
    numbers = JSON.parse(out()) as typeof numbers;
    const { requests } = numbers['statuses'] as { requests: number };
    return requests >= 6 && out().includes('"url":"http://127.0.0.1:9"');
  });
  assert.deepEqual(numbers['statuses'], { requests: 6, clientErrors: 6, serverErrors: 0 });
  assert.deepEqual(numbers['workers'], { running: 2, total: 2, behind: 0 });
  assert.deepEqual(numbers['servers'], {
    total: 1,
    down: [{ service: 'gone@file', url: 'http://127.0.0.1:9' }],
  });
  assert.equal((numbers['routers'] as { off: number }).off, 1);
  const [error] = numbers['errors'] as { code: string; count: number }[];
  assert.deepEqual([error?.code, error?.count], ['router.no_match', 6]);
});

test('without a terminal it is a line each second, until a signal', async (context) => {
  const gateway = await startGateway({ dynamic });
  context.after(async () => gateway.stop());
  const { child, out, ended } = top(context, gateway);
  await eventually('three lines', () => out().split('\n').length > 3);
  child.kill('SIGINT');
  assert.equal(await ended, 0);
  assert.match(out(), /^\d\d:\d\d:\d\d {2}0 requests\/s {2}p50 – .*workers 1\/1 {2}routers off 1/);
  assert.doesNotMatch(out(), /\u001b/);
});

for (const [how, key] of [
  ['q', 'q'],
  ['Ctrl-C', '\u0003'],
] as const) {
  test(`in a terminal ${how} ends it, and the terminal is as it was`, async (context) => {
    const gateway = await startGateway({ dynamic });
    context.after(async () => gateway.stop());
    const { child, out, ended } = inTerminal(context, gateway);
    await eventually('a picture', () => out().includes('q quit'));
    child.stdin?.write(key);
    await eventually('the end', () => out().includes('exit 0'));
    child.stdin?.end();
    await ended;
    assert.ok(out().includes('\u001b[?1049h'));
    assert.match(out().slice(out().lastIndexOf('q quit')), /\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l/);
    assert.match(out().slice(out().indexOf('exit 0')), /[^-]icanon.*[^-]echo /s);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`in a terminal ${signal} ends it, and the terminal is as it was`, async (context) => {
    const gateway = await startGateway({ dynamic });
    context.after(async () => gateway.stop());
    const { child, out, ended } = inTerminal(context, gateway);
    await eventually('a picture', () => out().includes('q quit'));
    process.kill(processOf(out()), signal);
    await eventually('the end', () => out().includes('exit 0'));
    child.stdin?.end();
    await ended;
    assert.match(out().slice(out().lastIndexOf('q quit')), /\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l/);
    assert.match(out().slice(out().indexOf('exit 0')), /[^-]icanon.*[^-]echo /s);
  });

test('the picture is as large as the terminal, however that changes', async (context) => {
  const gateway = await startGateway({ dynamic });
  context.after(async () => gateway.stop());
  const { child, out, ended } = inTerminal(context, gateway);
  await eventually('a picture', () => out().includes('q quit'));
  for (const [columns, rows] of [
    [60, 12],
    [200, 50],
    [1, 1],
    [100, 30],
  ] as const) {
    const before = out().length;
    resize(out(), columns, rows);
    await eventually(`a picture of ${columns} by ${rows}`, () => {
      const [picture] = pictures(out().slice(before)).slice(-1);
      // What does not fit is cut off by the terminal: wrapping is off.
      return picture?.length === rows && (columns < 60 || picture.every((row) => row.length <= columns));
    });
  }
  child.stdin?.write('q');
  await eventually('the end', () => out().includes('exit 0'));
  child.stdin?.end();
  await ended;
});

test('a gateway that goes away is said in the picture, and another one in its place is shown', async (context) => {
  const first = await startGateway({ dynamic });
  context.after(async () => first.stop());
  const { child, out, ended } = inTerminal(context, first);
  for (let left = 3; left > 0; left -= 1) await fetch(`${first.url('web')}/nothing`);
  await eventually('its errors', () => out().includes('router.no_match'));
  first.kill();
  await first.exited;
  await eventually('the news', () => out().includes('not reached: '));
  const gone = out().length;
  const address = `127.0.0.1:${first.port('traefik')}`;
  const second = await startGateway({
    static: { entryPoints: { web: {}, traefik: { address } } },
    dynamic,
    workers: 2,
  });
  context.after(async () => second.stop());
  await eventually('the other one', () => {
    const [picture = []] = pictures(out().slice(gone)).slice(-1);
    const text = picture.join('\n');
    return /2 of 2|2\/2/.test(text) && !/not reached|no_match/.test(text);
  });
  child.stdin?.write('q');
  await eventually('the end', () => out().includes('exit 0'));
  child.stdin?.end();
  await ended;
});

/** Of `top` itself, which its shell has told. */
function processOf(out: string): number {
  const [, pid] = /pid (\d+)/.exec(out) ?? [];
  assert.ok(pid !== undefined, out);
  return Number(pid);
}

/** As a window does it that is drawn to another size. */
function resize(out: string, columns: number, rows: number): void {
  const [terminal] = /\/dev\/pts\/\d+/.exec(out) ?? [];
  assert.ok(terminal !== undefined, out);
  execFileSync('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)]);
}

/** All whole ones, as rows without colours. */
function pictures(out: string): string[][] {
  return out
    .split('\u001b[H')
    .slice(1)
    .filter((text) => text.includes('\u001b[J'))
    .map((text) =>
      (text.split('\u001b[J')[0] ?? '').replaceAll(/\u001b\[[\d;]*[mK]|\r+(?=\r\n)/g, '').split('\r\n'),
    );
}
