// A real gateway for tests: primary and workers as processes, on free ports, in a directory of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface GatewayOptions {
  /**
   * Static configuration as an object or YAML. Entry points without an address get a free port; without
   * entry points there is `web`. The entry point `traefik` with the insecure API is always added.
   */
  readonly static?: object | string;
  /** First content of `dynamic.yml`, as YAML or an object. */
  readonly dynamic?: string | object;
  /** Given, the static configuration goes by flags, these at the end. */
  readonly flags?: readonly string[];
  /** 1 unless said. */
  readonly workers?: number;
  /** Of the entry points that name none; what `auto` chooses unless said. */
  readonly engine?: 'uws' | 'node';
  readonly env?: Readonly<Record<string, string>>;
}

export interface GatewayStatus {
  readonly version: number;
  readonly hash: string;
  readonly workers: readonly { readonly pid: number; readonly state: string; readonly version: number }[];
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly severity: string;
  }[];
}

export interface TestGateway {
  /** `http://127.0.0.1:<port>`, without a slash at its end. */
  url(entryPoint: string): string;
  port(entryPoint: string): number;
  readonly pid: number;
  /** Of all processes the primary has forked and that still live. */
  workerPids(): number[];
  /** Holds `dynamic.yml`; removed at the end. */
  readonly dir: string;
  /** Replaces `dynamic.yml` atomically and waits until every worker runs a newer version. */
  writeDynamic(content: string | object): Promise<void>;
  /** The same without waiting: for content that must change nothing. */
  putDynamic(content: string | object): void;
  status(): Promise<GatewayStatus>;
  /** Standard output and error so far; the log is JSON at level debug. */
  logs(): string;
  /** Waits until `logs()` has a match. */
  waitForLog(pattern: RegExp, ms?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Settles at the end of the primary. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** SIGTERM, then the exit code; SIGKILL after 20 s. */
  stop(): Promise<{ readonly code: number | null }>;
  /** SIGKILL to primary and workers. */
  kill(): void;
}

/** Starts a gateway and waits until every worker serves. Rejects with its output when it does not start. */
export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  for (let attempt = 1; ; attempt += 1) {
    const gateway = await launch(options);
    try {
      await gateway.ready();
      return gateway;
    } catch (error) {
      gateway.kill();
      // Between being found free and being used a port may be taken by another test.
      if (attempt >= 3 || !gateway.logs().includes('already in use')) throw error;
    }
  }
}

/** Runs the command line until it ends by itself: for starts that must fail. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnMain(args, tmpdir(), env);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { code, output };
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening()));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Asks again and again until `check` holds; the milliseconds it took. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<number> {
  const started = performance.now();
  while (!(await check())) {
    if (performance.now() - started > ms) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  return performance.now() - started;
}

type Launched = TestGateway & { ready(): Promise<void> };

async function launch(options: GatewayOptions): Promise<Launched> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-'));
  const file = join(dir, 'dynamic.yml');
  const { config, ports } = await staticOf(options, file);
  const put = (content: string | object): void => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  };
  put(options.dynamic ?? '{}');
  const args =
    options.flags === undefined ? [fileArgument(dir, config)] : [...flagsOf(config), ...options.flags];
  const child = spawnMain(args, dir, options.env ?? {});
  const pid = child.pid ?? 0;
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = (): void => {
    for (const one of isRunning() ? [...childrenOf(pid), pid] : [])
      quietly(() => process.kill(one, 'SIGKILL'));
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
  const port = (name: string): number => {
    const found = ports.get(name);
    if (found === undefined)
      throw new Error(`no entry point ${name}: there are ${[...ports.keys()].join(', ')}`);
    return found;
  };
  const status = async (): Promise<GatewayStatus> => {
    const response = await fetch(`http://127.0.0.1:${port('traefik')}/api/portcullis/status`);
    return (await response.json()) as GatewayStatus;
  };
  const waitForLog = async (pattern: RegExp, ms?: number): Promise<void> => {
    await eventually(`log line ${String(pattern)}`, () => pattern.test(output), ms).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${output}`);
      },
    );
  };
  return {
    pid,
    dir,
    exited,
    status,
    waitForLog,
    kill,
    port,
    putDynamic: put,
    url: (name) => `http://127.0.0.1:${port(name)}`,
    workerPids: () => childrenOf(pid),
    logs: () => output,
    signal: (signal) => void child.kill(signal),
    async ready() {
      const wanted = ports.size;
      await eventually(
        'the gateway listens',
        () => !isRunning() || output.split('"message":"listening"').length > wanted,
        30_000,
      );
      if (!isRunning()) throw new Error(`the gateway ended at its start:\n${output}`);
    },
    async writeDynamic(content) {
      const before = (await status()).version;
      put(content);
      await eventually('every worker runs the new configuration', async () => {
        const { version, workers } = await status();
        return version > before && workers.every((one) => one.state !== 'running' || one.version === version);
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${output}`);
      });
    },
    async stop() {
      if (isRunning()) child.kill('SIGTERM');
      const timer = setTimeout(kill, 20_000);
      const { code } = await exited;
      clearTimeout(timer);
      rmSync(dir, { recursive: true, force: true });
      return { code };
    },
  };
}

interface StaticShape {
  entryPoints?: Record<string, { address?: string; [key: string]: unknown } | null>;
  [key: string]: unknown;
}

/** The configuration with everything a test need not say, and the port of each entry point. */
async function staticOf(
  options: GatewayOptions,
  file: string,
): Promise<{ readonly config: StaticShape; readonly ports: ReadonlyMap<string, number> }> {
  const given = (typeof options.static === 'string' ? parse(options.static) : options.static) as
    | StaticShape
    | undefined;
  const config: StaticShape = {
    log: { level: 'DEBUG', format: 'json' },
    api: { insecure: true },
    workers: options.workers ?? 1,
    providers: { providersThrottleDuration: '10ms', file: { filename: file, watch: true } },
    ...given,
  };
  const entryPoints = { ...(config.entryPoints ?? { web: {} }) };
  entryPoints['traefik'] ??= {};
  const names = Object.keys(entryPoints);
  const free = await freePorts(names.length);
  const ports = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const point = entryPoints[name] ?? {};
    const address = point.address ?? `127.0.0.1:${free[index]}`;
    entryPoints[name] = { ...engineOf(options), ...point, address };
    ports.set(name, Number(address.slice(address.lastIndexOf(':') + 1)));
  }
  return { config: { ...config, entryPoints }, ports };
}

/** The environment may say it for a whole run: `TEST_ENGINE=node npm test -- integration/framing`. */
function engineOf({ engine }: GatewayOptions): { engine?: string } {
  const named = engine ?? process.env['TEST_ENGINE'];
  return named === undefined ? {} : { engine: named };
}

function fileArgument(dir: string, config: StaticShape): string {
  const file = join(dir, 'static.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  return `--configFile=${file}`;
}

function flagsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`--${path}=${String(value)}`];
  if (Array.isArray(value)) return [`--${path}=${value.join(',')}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    flagsOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

function spawnMain(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  return spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function childrenOf(pid: number): number[] {
  let text = '';
  quietly(() => {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  });
  return text
    .split(' ')
    .filter((one) => one.trim() !== '')
    .map(Number);
}

function listening(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** What has ended meanwhile needs no killing. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {}
}
