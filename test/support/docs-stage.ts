// A throwaway copy of this machine for the documents' commands: own files, own ports, own processes. Needs root on Linux.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkout } from './docs.ts';

export interface Ran {
  readonly code: number;
  /** Standard output and error as they came, 1 MB at most. */
  readonly output: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Milliseconds until it is killed, and the code is 137; 30 s unless said. */
  readonly timeout?: number;
}

export interface Stage {
  /** In a shell of the copy, whose working directory is the checkout's copy. Never rejects because of the command. */
  run(command: string, options?: RunOptions): Promise<Ran>;
  /** Writes a file of the copy; a relative path begins in the checkout's copy. Folders are made. */
  write(path: string, text: string, mode?: string): Promise<void>;
  /** Ends all processes of the copy and throws it away. */
  close(): Promise<void>;
}

const root = checkout.replace(/\/$/, '');

// Whatever is written lies in memory and goes with the last process. The shell that stays buries the dead.
const boot = `
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount --rbind /sys "$1/root/sys"
mount -t proc proc "$1/root/proc"
ip link set lo up
for address in 10.0.0.1 10.0.0.2; do ip address add "$address/32" dev lo; done
test -e "$1/root${root}/package.json"
exec chroot "$1/root" sh -c 'cd "${root}"; ln -s "${root}/bin/portcullis" /usr/local/bin/portcullis; echo ready; while :; do sleep 1; done'
`;

/** A reason to skip, or false. */
export function cannotStage(): string | false {
  const dir = mkdtempSync(join(tmpdir(), 'docs-try-'));
  const script = boot.replace('while :; do sleep 1; done', 'true');
  const tried = spawnSync('unshare', [...namespaces, 'sh', '-c', script, 'boot', dir], { encoding: 'utf8' });
  rmSync(dir, { recursive: true, force: true });
  if (tried.status === 0) return false;
  const reason = `a copy of the machine cannot be made here: ${tried.stderr ?? 'no unshare'}`;
  console.log(`NOT TESTED: ${reason}`);
  return reason;
}

/** Hosts are further names of 127.0.0.1. */
export async function openStage(hosts: readonly string[]): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'docs-stage-'));
  const holder = spawn('unshare', [...namespaces, 'sh', '-c', boot, 'boot', dir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  holder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  holder.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const end = (): void => void holder.kill('SIGKILL');
  process.once('exit', end);
  while (!said.includes('ready')) {
    if (holder.exitCode !== null) throw new Error(`the stage: ${said}`);
    await wait(20);
  }
  const first = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim();
  const stage: Stage = {
    run: async (command, options = {}) => runIn(first, command, options),
    async write(path, text, mode = '644') {
      const quoted = `'${path}'`;
      const { code, output } = await stage.run(
        `mkdir -p "$(dirname ${quoted})" && cat > ${quoted} && chmod ${mode} ${quoted}`,
        { input: text },
      );
      if (code !== 0) throw new Error(`${path}: ${output}`);
    },
    async close() {
      const gone = new Promise((resolve) => holder.once('close', resolve));
      end();
      await gone;
      process.off('exit', end);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await stage.run('cat >> /etc/hosts', { input: hosts.map((host) => `127.0.0.1 ${host}\n`).join('') });
  return stage;
}

const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child'] as const;

async function runIn(
  first: string,
  command: string,
  { input = '', timeout = 30_000 }: RunOptions,
): Promise<Ran> {
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const args = ['-t', first, '-m', '-n', '-p', '--root', '--wd', 'sh', '-c', command];
  const child: ChildProcess = spawn('nsenter', args, {
    // The copy has a /tmp of its own.
    env: { ...inherited, NO_COLOR: '1', TMPDIR: '/tmp' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const take = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-1_000_000);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), timeout);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  // What runs on in the background holds the pipes.
  await wait(5);
  return { code: code ?? 137, output };
}
