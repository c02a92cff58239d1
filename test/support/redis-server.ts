// Real Redis servers for tests: one, a master with sentinels, or a cluster; gone at the end of the test.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RedisSettings } from '../../src/model/redis.ts';

export interface RedisServer {
  readonly port: number;
  /** `cli('GET', 'key')`: what `redis-cli` prints. */
  cli(...args: string[]): Promise<string>;
  /** Stops it from answering, without closing anything. */
  pause(): void;
  resume(): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  restart(): Promise<void>;
}

export interface RedisServerOptions {
  /** `redis.conf` lines. */
  readonly lines?: readonly string[];
  /** PEM texts: it then speaks TLS alone. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly isSentinel?: boolean;
  /** What `redis-cli` needs before the command. */
  readonly cliArgs?: readonly string[];
}

const run = promisify(execFile);

export const missingRedis: string | false = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').includes('redis')
  ? 'redis-server is not installed'
  : false;

export function redisSettings(port: number, more: Partial<RedisSettings> = {}): RedisSettings {
  return {
    endpoints: [{ host: '127.0.0.1', port }],
    username: null,
    password: null,
    db: 0,
    tls: null,
    sentinel: null,
    cluster: false,
    keyPrefix: 'portcullis',
    ...more,
  };
}

export async function startRedis(
  context: TestContext,
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-redis-'));
  const [port] = (await freePorts(1)) as [number];
  const server = new Server(dir, port, options);
  context.after(async () => {
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  await server.restart();
  return server;
}

/** A master, one replica and three sentinels that fail over after half a second. */
export async function startSentinels(
  context: TestContext,
): Promise<{ readonly nodes: readonly RedisServer[]; readonly sentinels: readonly RedisServer[] }> {
  const master = await startRedis(context);
  const replica = await startRedis(context, {
    lines: [`replicaof 127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay 0'],
  });
  const lines = [
    `sentinel monitor main 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ];
  const sentinels = await Promise.all(
    [0, 1, 2].map(async () => await startRedis(context, { isSentinel: true, lines })),
  );
  await until('the replica follows', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
  for (const sentinel of sentinels) {
    await until('the sentinels know each other and the replica', async () => {
      const info = await sentinel.cli('INFO', 'sentinel');
      return info.includes('slaves=1,sentinels=3');
    });
  }
  return { nodes: [master, replica], sentinels };
}

/** Three masters. */
export async function startCluster(context: TestContext): Promise<readonly RedisServer[]> {
  const lines = ['cluster-enabled yes', 'cluster-node-timeout 2000'];
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => {
      // The bus would be at the port plus 10,000, which may not be there.
      const [bus] = (await freePorts(1)) as [number];
      return await startRedis(context, { lines: [...lines, `cluster-port ${bus}`] });
    }),
  );
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 30_000 });
  for (const node of nodes) {
    await until('the cluster is whole', async () =>
      (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  }
  return nodes;
}

/** Polls until `check` holds; fails after `ms`. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await wait(20);
  }
}

class Server implements RedisServer {
  readonly port: number;
  readonly #dir: string;
  readonly #options: RedisServerOptions;
  #child: ChildProcess | null = null;

  constructor(dir: string, port: number, options: RedisServerOptions) {
    this.#dir = dir;
    this.port = port;
    this.#options = options;
  }

  async cli(...args: string[]): Promise<string> {
    const tls = this.#options.tls === undefined ? [] : ['--tls', '--cacert', join(this.#dir, 'ca.pem')];
    const all = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      ...tls,
      ...(this.#options.cliArgs ?? []),
      ...args,
    ];
    return (await run('redis-cli', all, { timeout: 10_000 })).stdout.trim();
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    const file = join(this.#dir, 'redis.conf');
    writeFileSync(file, this.#lines().join('\n'));
    const args = this.#options.isSentinel === true ? [file, '--sentinel'] : [file];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let output = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      output = (output + String(bytes)).slice(-4000);
    });
    await until(`redis-server on ${this.port}`, async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${output}`);
      const answer = await this.cli('PING').catch(() => '');
      // With a password of its own it says so, and is there.
      return answer.includes('PONG') || answer.includes('NOAUTH');
    });
  }

  #lines(): string[] {
    const { tls, lines } = this.#options;
    const common = ['bind 127.0.0.1', `dir ${this.#dir}`, 'daemonize no', ...(lines ?? [])];
    if (this.#options.isSentinel !== true) common.push('save ""', 'appendonly no');
    if (tls === undefined) return [`port ${this.port}`, ...common];
    for (const name of ['ca', 'cert', 'key'] as const)
      writeFileSync(join(this.#dir, `${name}.pem`), tls[name]);
    return [
      'port 0',
      `tls-port ${this.port}`,
      `tls-cert-file ${join(this.#dir, 'cert.pem')}`,
      `tls-key-file ${join(this.#dir, 'key.pem')}`,
      `tls-ca-cert-file ${join(this.#dir, 'ca.pem')}`,
      'tls-auth-clients no',
      ...common,
    ];
  }
}

/** Free when asked for, and each another. */
async function freePorts(number: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: number }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(async (server) => await new Promise((resolve) => server.close(resolve))));
  return ports;
}
