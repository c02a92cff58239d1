// Load from wrk and hey, bounded, with their reports read; and which worker holds which connection.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';

export interface LoadOptions {
  readonly url: string;
  /** 1 to 10. */
  readonly seconds: number;
  /** 1 to 64. */
  readonly connections: number;
  /** A connection for each request. */
  readonly close?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadReport {
  readonly requests: number;
  /** Answers other than 2xx. */
  readonly non2xx: number;
  /** Connections refused, reset or timed out, as the tool words it. */
  readonly errors: readonly string[];
  /** What the tool printed. */
  readonly output: string;
}

/** A reason to skip when one of the tools is missing, else false. */
export function missingTools(...names: readonly ('wrk' | 'hey')[]): string | false {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return false;
  const reason = `NOT TESTED: ${missing.join(' and ')} missing; install with apt-get install ${missing.join(' ')}`;
  process.stderr.write(`!! ${reason}\n`);
  return reason;
}

/** Rejects when wrk fails or takes 10 s longer than it should. */
export async function runWrk(options: LoadOptions): Promise<LoadReport> {
  checkBounds(options);
  const output = await run('wrk', options.seconds, [
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '--timeout=5s',
    ...headerArguments(options.close ? { ...options.headers, Connection: 'close' } : options.headers),
    options.url,
  ]);
  const sockets = /Socket errors: (.*)/.exec(output)?.[1] ?? '';
  return {
    requests: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0),
    non2xx: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
    errors: sockets.split(', ').filter((part) => part !== '' && !part.endsWith(' 0')),
    output,
  };
}

/** As `runWrk`. hey repeats a request on a connection that died while it was idle, as Go's client does. */
export async function runHey(options: LoadOptions): Promise<LoadReport> {
  checkBounds(options);
  const output = await run('hey', options.seconds, [
    '-z',
    `${options.seconds}s`,
    '-c',
    String(options.connections),
    '-t',
    '5',
    ...(options.close ? ['-disable-keepalive'] : []),
    ...headerArguments(options.headers),
    options.url,
  ]);
  const statuses = [...output.matchAll(/^\s*\[(\d{3})\]\s+(\d+) responses/gm)];
  const count = (isWanted: (status: string) => boolean): number =>
    statuses.filter(([, status = '']) => isWanted(status)).reduce((sum, [, , n]) => sum + Number(n), 0);
  const errors = output.split('Error distribution:')[1] ?? '';
  return {
    requests: count(() => true),
    non2xx: count((status) => !status.startsWith('2')),
    errors: errors
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    output,
  };
}

/** Whether nobody listens on the port any more; asks nothing of who does. */
export function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.destroy());
    let refused = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED';
    });
    socket.on('close', () => resolve(refused));
  });
}

/** Client ports of the established connections that process `pid` holds on its port `port`; Linux only. */
export function connectionsOf(pid: number, port: number): ReadonlySet<number> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since it was listed.
    }
  }
  const ports = new Set<number>();
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    const isOurs = Number.parseInt(local.split(':')[1] ?? '', 16) === port && inodes.has(inode);
    if (isOurs && state === '01') ports.add(Number.parseInt(remote.split(':')[1] ?? '', 16));
  }
  return ports;
}

function isInstalled(name: string): boolean {
  if ((process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes(name)) return false;
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function checkBounds({ seconds, connections }: LoadOptions): void {
  if (seconds > 10 || connections > 64) throw new RangeError('at most 10 s and 64 connections');
}

function headerArguments(headers: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
}

async function run(tool: string, seconds: number, args: readonly string[]): Promise<string> {
  const child: ChildProcess = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const timer = setTimeout(() => child.kill('SIGKILL'), (seconds + 10) * 1000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${tool} ended with ${code}:\n${output}`);
  return output;
}
