// A small network of its own: hosts as network namespaces on one switch. Needs root and iproute2.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

export interface Lan {
  /** Name of the host's namespace. */
  of(host: string): string;
  /** `10.77.0.<n>`: the host's own address. */
  address(host: string): string;
  /** Runs a command on the host and gives what it printed; throws when it fails. */
  run(host: string, ...command: readonly string[]): string;
  /** Starts a process on the host; ended by `close` at the latest, with all it started. */
  start(host: string, command: readonly string[], options?: StartOptions): Hosted;
  /** Pulls the host's cable, or puts it back. */
  link(host: string, state: 'up' | 'down'): void;
  /** Ends what runs and removes the namespaces; also called when the test's process ends. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Hosted {
  readonly child: ChildProcess;
  /** Of the process on the host. */
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  readonly exited: Promise<number | null>;
  /** To the process and everything it started. */
  killGroup(signal: NodeJS.Signals): void;
}

/** A reason to skip, said loudly, or false. */
export function cannotNetwork(...tools: readonly string[]): string | false {
  const missing = ['ip', ...tools].filter((tool) => !isInstalled(tool));
  if (missing.length > 0) return notTested(`${missing.join(' and ')} missing`);
  if (process.getuid?.() !== 0) return notTested('network namespaces need root');
  const name = `pc-try-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  spawnSync('ip', ['netns', 'delete', name]);
  return made ? false : notTested('network namespaces are not allowed here');
}

/** At most 20 hosts, numbered from 11 in the order given. */
export function createLan(hosts: readonly string[]): Lan {
  if (hosts.length > 20) throw new RangeError('at most 20 hosts');
  // Names of network interfaces are short.
  const prefix = `pc${process.pid.toString(36)}`;
  const of = (host: string): string => `${prefix}-${host}`;
  const hosted = new Set<Hosted>();
  const names = ['lan', ...hosts];
  const remove = (): void => {
    for (const one of hosted) one.killGroup('SIGKILL');
    for (const host of names) spawnSync('ip', ['netns', 'delete', of(host)], { stdio: 'ignore' });
  };
  process.once('exit', remove);
  const lan: Lan = {
    of,
    address: (host) => `10.77.0.${11 + hosts.indexOf(host)}`,
    run: (host, ...command) => run('ip', 'netns', 'exec', of(host), ...command),
    start(host, command, options = {}) {
      const one = startIn(of(host), command, options);
      hosted.add(one);
      void one.exited.then(() => hosted.delete(one));
      return one;
    },
    link: (host, state) => void lan.run('lan', 'ip', 'link', 'set', `port-${host}`, state),
    async close() {
      const ends = [...hosted].map(({ exited }) => exited);
      for (const one of hosted) one.killGroup('SIGKILL');
      await Promise.all(ends);
      remove();
      process.off('exit', remove);
    },
  };
  try {
    build(lan, names);
  } catch (error) {
    remove();
    throw error;
  }
  return lan;
}

function build(lan: Lan, names: readonly string[]): void {
  for (const host of names) {
    run('ip', 'netns', 'add', lan.of(host));
    lan.run(host, 'ip', 'link', 'set', 'lo', 'up');
  }
  lan.run('lan', 'ip', 'link', 'add', 'switch', 'type', 'bridge');
  lan.run('lan', 'ip', 'link', 'set', 'switch', 'up');
  for (const host of names.slice(1)) {
    const port = `port-${host}`;
    lan.run('lan', 'ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', lan.of(host));
    lan.run('lan', 'ip', 'link', 'set', port, 'master', 'switch', 'up');
    lan.run(host, 'ip', 'address', 'add', `${lan.address(host)}/24`, 'dev', 'eth0');
    lan.run(host, 'ip', 'link', 'set', 'eth0', 'up');
  }
}

function startIn(namespace: string, command: readonly string[], options: StartOptions): Hosted {
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  // `ip netns exec` becomes the command, so that its pid is the command's. A group of its own ends as one.
  const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...inherited, NO_COLOR: '1', ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  // Bounded: what a test reads is at the end.
  const take = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.stdin.on('error', () => {});
  const pid = child.pid ?? 0;
  return {
    child,
    pid,
    output: () => output,
    exited: once(child, 'exit').then(([code]) => code as number | null),
    killGroup(signal) {
      try {
        process.kill(-pid, signal);
      } catch {
        // It has ended.
      }
    },
  };
}

function run(...command: readonly string[]): string {
  const [program = '', ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return stdout;
}

function isInstalled(name: string): boolean {
  if ((process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes(name)) return false;
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

function notTested(why: string): string {
  const reason = `NOT TESTED: ${why}`;
  process.stderr.write(`!! ${reason}\n`);
  return reason;
}
