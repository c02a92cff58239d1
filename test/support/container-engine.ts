// Real container engines for tests: started here, with everything they keep in a directory of their own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './gateway.ts';

export type EngineKind = 'docker' | 'podman';

export interface RunOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Run by a shell. */
  readonly command: string;
  /** Looked at every 0.5 s. */
  readonly health?: string;
  /** `host` unless said. */
  readonly network?: string;
  readonly expose?: number;
  readonly restart?: 'always';
}

export interface ContainerEngine {
  readonly kind: EngineKind;
  readonly endpoint: string;
  /** Creates and starts; the id. */
  run(options: RunOptions): Promise<string>;
  kill(name: string, signal?: string): Promise<void>;
  /** Stops if need be. */
  remove(name: string): Promise<void>;
  ask(method: string, path: string, body?: object | Buffer): Promise<{ status: number; text: string }>;
  /** As a service manager does it; what runs in it goes on running. */
  end(): Promise<void>;
  begin(): Promise<void>;
  /** Removes every container, ends the engine and leaves nothing behind. */
  stop(): Promise<void>;
}

/** Why real engines cannot run here; false: they can. */
export function withoutEngine(kind: EngineKind): string | false {
  if (process.getuid?.() !== 0) return 'only root can run a container engine of its own';
  const commands = ['busybox', 'runc', kind === 'docker' ? 'dockerd' : 'podman'];
  const missing = commands.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return missing.length > 0 && `${missing.join(', ')} not installed`;
}

/**
 * Containers share the host's network, since the engine must not touch it; `netns` puts the engine, with
 * networks of its own, into that network namespace.
 */
export async function startEngine(kind: EngineKind, netns: string | null = null): Promise<ContainerEngine> {
  const dir = mkdtempSync(join(tmpdir(), `${kind}-`));
  const socket = join(dir, 'docker.sock');
  let child: ChildProcess | null = null;
  let output = '';

  const ask: ContainerEngine['ask'] = (method, path, body) => askOver(socket, method, path, body);
  const begin = async (): Promise<void> => {
    const { line, env } = commandOf(kind, dir, netns);
    const [command = '', ...args] = line;
    const started = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-20_000)));
    await eventually(
      `${kind} answers`,
      async () => {
        if (started.exitCode !== null) throw new Error(`${kind} ended: ${output}`);
        return (await ask('GET', '/_ping').catch(() => null))?.status === 200;
      },
      60_000,
    );
  };
  const end = async (): Promise<void> => {
    const ending = child;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGTERM');
    const timer = setTimeout(() => ending.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  };
  const must = async (method: string, path: string, body?: object | Buffer): Promise<string> => {
    const answer = await ask(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text;
  };
  const remove = async (name: string): Promise<void> => {
    await must('DELETE', `/v1.41/containers/${name}?force=true`);
  };
  await begin();
  await must('POST', '/v1.41/images/create?fromSrc=-&repo=bb', imageArchive(dir));
  return {
    kind,
    endpoint: `unix://${socket}`,
    ask,
    remove,
    async run(options) {
      const made = await must('POST', `/v1.41/containers/create?name=${options.name}`, bodyOf(options));
      const { Id } = JSON.parse(made) as { Id: string };
      await must('POST', `/v1.41/containers/${Id}/start`);
      return Id;
    },
    async kill(name, signal = 'KILL') {
      await must('POST', `/v1.41/containers/${name}/kill?signal=${signal}`);
    },
    end,
    begin,
    async stop() {
      const listed = await ask('GET', '/v1.41/containers/json?all=1').catch(() => null);
      const all = listed?.status === 200 ? (JSON.parse(listed.text) as { Id: string }[]) : [];
      for (const { Id } of all) await remove(Id).catch(() => {});
      await end();
      endLeftOvers(dir);
      unmountAll(dir);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function commandOf(
  kind: EngineKind,
  dir: string,
  netns: string | null,
): { line: readonly string[]; env: Record<string, string> } {
  const socket = `unix://${join(dir, 'docker.sock')}`;
  const inside = netns === null ? [] : ['nsenter', `--net=/var/run/netns/${netns}`];
  if (kind === 'docker') {
    const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
    const roots = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')];
    const files = ['-H', socket, '--pidfile', join(dir, 'pid')];
    const rest = [
      '--default-ulimit',
      'nofile=20000:20000',
      '--live-restore',
      ...(netns === null ? quiet : []),
    ];
    return { line: [...inside, 'dockerd', ...roots, ...files, ...rest], env: {} };
  }
  const file = join(dir, 'containers.conf');
  // Limits above this machine's cannot be set, and no service manager is asked for control groups.
  writeFileSync(
    file,
    `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`,
  );
  const roots = ['--root', join(dir, 'data'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp')];
  const line = [...inside, 'podman', ...roots, 'system', 'service', '--time=0', socket];
  return { line, env: { CONTAINERS_CONF: file } };
}

function bodyOf(options: RunOptions): object {
  const { labels, command, health, network, expose, restart } = options;
  return {
    Image: 'bb',
    Labels: labels ?? {},
    Cmd: ['/bin/sh', '-c', command],
    ...(expose === undefined ? {} : { ExposedPorts: { [`${expose}/tcp`]: {} } }),
    ...(health === undefined
      ? {}
      : {
          Healthcheck: {
            Test: ['CMD-SHELL', health],
            Interval: 500_000_000,
            Timeout: 2_000_000_000,
            Retries: 1,
          },
        }),
    HostConfig: {
      NetworkMode: network ?? 'host',
      ...(restart === undefined ? {} : { RestartPolicy: { Name: restart } }),
    },
  };
}

/** An image of nothing but a static busybox. */
function imageArchive(dir: string): Buffer {
  const root = join(dir, 'image');
  for (const part of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(root, part), { recursive: true });
  const busybox = spawnSync('sh', ['-c', 'command -v busybox']).stdout.toString().trim();
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const name of ['sh', 'httpd', 'sleep', 'echo', 'test', 'mkdir', 'touch', 'rm', 'cat', 'nc'])
    symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const packed = spawnSync('tar', ['-C', root, '-cf', '-', '.'], { maxBuffer: 64 * 1024 * 1024 });
  if (packed.status !== 0) throw new Error(packed.stderr.toString());
  return packed.stdout;
}

function askOver(
  socketPath: string,
  method: string,
  path: string,
  body?: object | Buffer,
): Promise<{ status: number; text: string }> {
  const isJson = body !== undefined && !Buffer.isBuffer(body);
  const headers = isJson ? { 'content-type': 'application/json' } : {};
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : isJson ? JSON.stringify(body) : body);
  });
}

/** What an engine that was crashed has left running: only processes whose command line names our directory. */
export function endLeftOvers(dir: string): void {
  const listed = spawnSync('ps', ['-eo', 'pid=,args='], { maxBuffer: 16 * 1024 * 1024 }).stdout.toString();
  for (const line of listed.split('\n')) {
    const [, pid = '', args = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!args.includes(`${dir}/`) || Number(pid) === process.pid) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Mounts below `dir`, and those whose path begins with `also`. */
export function unmountAll(dir: string, also = `${dir}/`): void {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(`${dir}/`) || target.startsWith(also))
    .reverse();
  for (const target of mounted) spawnSync('umount', ['-l', target]);
}
