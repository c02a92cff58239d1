// A Docker engine that keeps its images from one run to the next, and talks to no other engine's containers.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bodyOf } from './body.ts';
import { endLeftOvers, unmountAll } from './container-engine.ts';
import { eventually } from './gateway.ts';
import { isAlive } from './process.ts';

/** `build`: containers on the host's network alone, so that packages can be fetched. `run`: networks of its own. */
export type Purpose = 'build' | 'run';

export interface ImageEngine {
  readonly socket: string;
  /** The body, parsed where it is JSON. Throws at a status of 400 and above. */
  ask<T = unknown>(method: string, path: string, body?: object): Promise<T>;
  /** The docker command on this engine; what it printed. Throws when it fails. */
  docker(args: readonly string[], options?: DockerOptions): Promise<string>;
  /** Runs a command where the engine's published ports are. */
  inside(...command: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Containers, networks and volumes go, images stay. */
  stop(): Promise<void>;
}

export interface DockerOptions {
  readonly cwd?: string;
  /** A file for its standard input. */
  readonly input?: number;
}

/** Images, and what they are made from. */
export const imageCache = fileURLToPath(new URL('../../.tmp/image/', import.meta.url));

/** Why no image can be built and run here, said loudly; false: it can. */
export function withoutImages(): string | false {
  const commands = ['dockerd', 'docker', 'runc', 'debootstrap', 'ip', 'iptables', 'nsenter', 'curl'];
  const gone = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',');
  const missing = commands.filter(
    (name) => gone.includes(name) || spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  );
  const isRoot = process.getuid?.() === 0;
  if (isRoot && missing.length === 0) return false;
  const why = isRoot ? `${missing.join(', ')} missing` : 'only root can run a container engine of its own';
  process.stderr.write(`!! NOT TESTED: the image: ${why}\n`);
  return why;
}

/** One at a time: the images belong to whoever runs. */
export async function startImageEngine(purpose: Purpose): Promise<ImageEngine> {
  const unlock = await lock();
  const dir = mkdtempSync(join(tmpdir(), 'image-'));
  const netns = purpose === 'run' ? `pcimage${process.pid}` : null;
  const socket = join(dir, 'docker.sock');
  if (netns !== null) {
    must('ip', 'netns', 'add', netns);
    must('ip', '-n', netns, 'link', 'set', 'lo', 'up');
  }
  const child = spawnEngine(dir, socket, netns);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000)));
  const engine: ImageEngine = {
    socket,
    ask: (method, path, body) => ask(socket, method, path, body),
    docker: (args, options = {}) => docker(socket, args, options),
    inside: (...command) =>
      capture(netns === null ? command : ['nsenter', `--net=/var/run/netns/${netns}`, ...command]),
    async stop() {
      await removeAll(engine).catch(() => {});
      await end(child);
      endLeftOvers(dir);
      unmountAll(dir, join(imageCache, 'docker/'));
      if (netns !== null) spawnSync('ip', ['netns', 'delete', netns]);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
      unlock();
    },
  };
  try {
    await eventually(
      'dockerd answers',
      async () => {
        if (child.exitCode !== null) throw new Error(`dockerd ended: ${output}`);
        return engine.ask('GET', '/_ping').then(
          () => true,
          () => false,
        );
      },
      60_000,
    );
    await removeAll(engine);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

function spawnEngine(dir: string, socket: string, netns: string | null): ChildProcess {
  const data = join(imageCache, 'docker');
  mkdirSync(data, { recursive: true });
  const roots = ['--data-root', data, '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')];
  const rest = ['-H', `unix://${socket}`, '--default-ulimit', 'nofile=20000:20000'];
  const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
  // `ip netns exec` would mount /sys anew, and with it lose the control groups.
  const line =
    netns === null
      ? ['dockerd', ...roots, ...rest, ...quiet]
      : ['nsenter', `--net=/var/run/netns/${netns}`, 'dockerd', ...roots, ...rest];
  const [command = '', ...args] = line;
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

async function removeAll(engine: ImageEngine): Promise<void> {
  for (const { Id } of await engine.ask<{ Id: string }[]>('GET', '/containers/json?all=1'))
    await engine.ask('DELETE', `/containers/${Id}?force=true&v=true`);
  await engine.ask('POST', '/networks/prune');
  await engine.ask('POST', '/volumes/prune');
}

/** Waits for another process of this checkout, at most two minutes; returns what lets the next one in. */
async function lock(): Promise<() => void> {
  mkdirSync(imageCache, { recursive: true });
  const file = join(imageCache, 'lock');
  const take = (): boolean => {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      const holder = Number(readFileSync(file, 'utf8'));
      if (holder > 0 && isAlive(holder)) return false;
      rmSync(file, { force: true });
      return false;
    }
  };
  await eventually('the images are free', take, 120_000);
  return () => rmSync(file, { force: true });
}

function ask<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, method, path: `/v1.41${path}`, headers, agent: false },
      (response) => {
        const answer = bodyOf(response).then((text) => {
          if ((response.statusCode ?? 0) >= 400)
            throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
          return (/json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : text) as T;
        });
        answer.then(resolve, reject);
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function docker(socket: string, args: readonly string[], options: DockerOptions): Promise<string> {
  const { code, output } = await capture(['docker', '-H', `unix://${socket}`, ...args], options);
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${output.slice(-4000)}`);
  return output;
}

function capture(
  line: readonly string[],
  options: DockerOptions = {},
): Promise<{ code: number | null; output: string }> {
  const [command = '', ...args] = line;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: [options.input ?? 'ignore', 'pipe', 'pipe'],
      // The engine's own builder is everywhere, the newer one is a plugin; no one's own settings count here.
      env: { ...process.env, DOCKER_BUILDKIT: '0', DOCKER_CONFIG: '/nonexistent' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-1_000_000)));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function must(...line: readonly string[]): void {
  const [command = '', ...args] = line;
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${line.join(' ')}: ${stderr}`);
}
