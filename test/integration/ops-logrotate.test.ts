// The real logrotate with the file that is delivered, on a gateway under load: every line is in one of the files, once.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { eventually, startGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';

interface Installed {
  readonly logs: string;
  /** Runs logrotate with the delivered file; what it said. */
  rotate(...flags: readonly string[]): Promise<string>;
  /** Whom `systemctl kill` reaches. */
  reach(pid: number): void;
  readonly file: string;
}

const delivered = fileURLToPath(new URL('../../ops/logrotate/portcullis', import.meta.url));
const options = { skip: withoutLogrotate(), timeout: 60_000 };
const rotations = 4;

test('logrotate has nothing to say against its file', options, async (context) => {
  const { file, rotate, logs } = install(context);
  writeFileSync(join(logs, 'access.log'), 'a line\n');
  const said = await rotate('-d', file);
  assert.doesNotMatch(said, /error|warning: (?!logrotate in debug mode)/i);
  assert.match(said, /considering log .*access\.log/);
  writeFileSync(`${file}.broken`, readFileSync(file, 'utf8').replace('delaycompress', 'delaycompres'), {
    mode: 0o644,
  });
  assert.match(await rotate('-d', `${file}.broken`), /unknown option 'delaycompres'/);
});

test('under load, four rotations in a row lose no line and write none twice', options, async (context) => {
  const { file, logs, rotate, reach } = install(context);
  const origin = await startOrigin();
  context.after(() => origin.stop());
  const gateway = await startGateway({
    workers: 2,
    static: {
      accessLog: { filePath: join(logs, 'access.log'), format: 'json' },
    },
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 'all', entryPoints: ['web'] } },
        services: { all: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  context.after(() => gateway.stop());
  reach(gateway.pid);
  const load = keepAsking(`${gateway.url('web')}/line-`);
  for (let made = 0; made < rotations; made += 1) {
    await eventually('lines in the new file', () => linesIn(logs, /^access\.log$/).length > 50);
    assert.doesNotMatch(await rotate('-f', '-s', join(logs, '../state'), file), /error/i);
  }
  const asked = await load.stop();
  assert.equal((await gateway.stop()).code, 0);
  const names = readdirSync(logs).sort();
  assert.ok(names.includes('access.log.1') && names.includes('access.log.2.gz'), names.join());
  const lines = linesIn(logs, /^access\.log/);
  assert.equal(lines.length, asked.length, `${lines.length} lines for ${asked.length} requests`);
  assert.deepEqual(lines.sort(), [...asked].sort());
  context.diagnostic(`${asked.length} requests, ${rotations} rotations, ${names.join(' ')}`);
});

/** The file as it is delivered, for other folders and this user, and a `systemctl` that knows these two commands. */
function install(context: TestContext): Installed {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-logrotate-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  const logs = join(dir, 'log');
  const bin = join(dir, 'bin');
  for (const folder of [logs, bin]) mkdirSync(folder, { mode: 0o755 });
  const file = join(dir, 'portcullis');
  const text = readFileSync(delivered, 'utf8')
    .replaceAll('/var/log/portcullis/', `${logs}/`)
    .replace('su portcullis portcullis', 'su root root');
  writeFileSync(file, text, { mode: 0o644 });
  return {
    logs,
    file,
    async rotate(...flags) {
      const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
      const ran = await promisify(execFile)('logrotate', [...flags], { env }).catch(
        (error: { stdout: string; stderr: string }) => ({ ...error, stderr: `error: ${error.stderr}` }),
      );
      return `${ran.stdout}${ran.stderr}`;
    },
    reach(pid) {
      const script = `#!/bin/sh
case "$*" in
  "--quiet is-active portcullis.service") exit 0 ;;
  "kill --kill-whom=main --signal=USR1 portcullis.service") kill -USR1 ${pid} ;;
  *) echo "error: systemctl $*" >&2; exit 1 ;;
esac
`;
      writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 });
    },
  };
}

/** Paths of the lines in all files whose name matches, packed ones too. */
function linesIn(logs: string, name: RegExp): string[] {
  return readdirSync(logs)
    .filter((file) => name.test(file))
    .flatMap((file) => {
      const bytes = readFileSync(join(logs, file));
      const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      return [...text.matchAll(/"RequestPath":"(\/line-\d+)"/g)].map(([, path = '']) => path);
    });
}

/** Eight clients that ask one after the other on kept connections, a path of its own each time. */
function keepAsking(url: string): { stop(): Promise<readonly string[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const asked: string[] = [];
  let isStopping = false;
  let count = 0;
  const client = async (): Promise<void> => {
    while (!isStopping) {
      count += 1;
      const target = `${url}${count}`;
      await ask(agent, target);
      asked.push(new URL(target).pathname);
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  return {
    async stop() {
      isStopping = true;
      await clients;
      agent.destroy();
      return asked;
    },
  };
}

function ask(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

function withoutLogrotate(): string | false {
  const gone = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',');
  const isThere = spawnSync('sh', ['-c', 'command -v logrotate']).status === 0;
  const why = !isThere || gone.includes('logrotate') ? 'logrotate missing' : 'logrotate as root only';
  if (why !== 'logrotate missing' && process.getuid?.() === 0) return false;
  process.stderr.write(`!! NOT TESTED: ${why}\n`);
  return why;
}
