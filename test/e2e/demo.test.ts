// `npm run demo` as a newcomer meets it: what it prints can be pasted, Ctrl-C ends all of it, a taken port is told.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../support/gateway.ts';

const main = fileURLToPath(new URL('../../ops/demo/main.ts', import.meta.url));
const run = promisify(execFile);
const up = 'Ctrl-C stops everything.';

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  said(): string;
  /** Resolves with all that was said. */
  until(text: string): Promise<string>;
}

describe('the demo', { timeout: 120_000 }, () => {
  test('prints lines for a shell, each of which answers as it says; Ctrl-C stops everything', async (context) => {
    const demo = start(context, { DEMO_PORT: '0', DEMO_API_PORT: '0' });
    const guide = await demo.until(up);
    const url = /gateway {4}(\S+)/.exec(guide)?.[1] ?? '';
    const lines = guide.split('\n').filter((line) => /^(curl|[A-Z]+=)/.test(line));
    assert.ok(lines.length >= 13, guide);
    // With -i where it is not there anyway: the status is what counts.
    const script = lines
      .map((line) => line.replace(/^curl (?!-i)/, 'curl -i '))
      .join('\necho; echo "<next>"\n');
    const { stdout } = await run('bash', ['-c', script], { maxBuffer: 1 << 20 }).catch(
      // The WebSocket is cut by --max-time, which is an exit code of its own but not of the last line.
      (error: Error & { stdout: string }) => error,
    );
    const statuses = stdout
      .split('<next>')
      .map((answer) => /HTTP\/1\.1 (?!100)(\d+)/.exec(answer)?.[1])
      .filter((status) => status !== undefined);
    // Public, 401 without a token, four with it, WebSocket, MCP, log-out and 401 after it.
    const expected = ['200', '200', '401', '200', '200', '200', '200', '101', '200', '200', '401'];
    assert.deepEqual(statuses, expected, stdout);
    const front = await fetch(url);
    assert.equal(front.url, `${/dashboard {2}(\S+)/.exec(guide)?.[1]}`);
    assert.match(await front.text(), /<html/);

    // A terminal's Ctrl-C goes to the whole group.
    process.kill(-(demo.child.pid ?? 0), 'SIGINT');
    assert.equal(await demo.exited, 0);
    assert.match(demo.said(), /stopping…\neverything is stopped\n$/);
    assert.doesNotMatch(demo.said(), /WRN|ERR/);
    await assert.rejects(fetch(url));
  });

  test('comes up while somebody knocks without pause, as a browser that is waiting for it does', async (context) => {
    const [port] = (await freePorts(1)) as [number];
    let isOver = false;
    const knock = (): void => {
      if (isOver) return;
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      context.after(() => socket.destroy());
      setTimeout(knock, 10);
    };
    knock();
    const demo = start(context, { DEMO_PORT: String(port), DEMO_API_PORT: '0' });
    const guide = await demo.until(up);
    isOver = true;
    assert.ok(guide.includes(`127.0.0.1:${port}`), guide);
    demo.child.kill('SIGTERM');
    assert.equal(await demo.exited, 0);
  });

  test('a port that is taken is told, with the words that choose another', async (context) => {
    const holder = createServer().listen(0, '127.0.0.1');
    context.after(() => holder.close());
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as AddressInfo;
    const demo = start(context, { DEMO_PORT: String(port), DEMO_API_PORT: '0' });
    const guide = await demo.until(up);
    assert.match(guide, new RegExp(`Port ${port} is taken: it is http://127\\.0\\.0\\.1:\\d+ instead\\.`));
    assert.match(guide, /To choose: DEMO_PORT=\d+ npm run demo/);
    demo.child.kill('SIGTERM');
    assert.equal(await demo.exited, 0);
  });

  test('Ctrl-C before it is up leaves nothing behind', async (context) => {
    const demo = start(context, { DEMO_PORT: '0', DEMO_API_PORT: '0' }, ['--log.level=INFO']);
    await demo.until('worker serves');
    process.kill(-(demo.child.pid ?? 0), 'SIGINT');
    assert.notEqual(await demo.exited, null);
    // Its pipes are closed once the gateway is gone as well.
    assert.doesNotMatch(demo.said(), /Error|at .*\.ts/);
  });

  test('words that are no port, and a flag the gateway refuses, are said', async (context) => {
    const noPort = start(context, { DEMO_PORT: 'eighty' });
    assert.equal(await noPort.exited, 2);
    assert.match(noPort.said(), /DEMO_PORT=eighty: expected a port number/);
    const refused = start(context, { DEMO_PORT: '0', DEMO_API_PORT: '0' }, ['--nonsense']);
    assert.equal(await refused.exited, 1);
    assert.match(refused.said(), /nonsense[\s\S]*the gateway did not start/);
    const helped = start(context, {}, ['--help']);
    assert.equal(await helped.exited, 0);
    assert.match(helped.said(), /DEMO_API_PORT/);
  });
});

function start(context: TestContext, env: Record<string, string>, flags: readonly string[] = []): Running {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...flags], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  context.after(() => child.kill('SIGTERM'));
  const deadline = setTimeout(() => child.kill('SIGTERM'), 40_000);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  void exited.then(() => clearTimeout(deadline));
  return {
    child,
    exited,
    said: () => said,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (said.includes(text)) resolve(said);
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        void exited.then(() => reject(new Error(`it ended before it said ${text}:\n${said}`)));
        look();
      }),
  };
}
