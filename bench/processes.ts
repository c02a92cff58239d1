// Starting what is measured, finding its worker, reading the CPU time a process has used.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

const stopDeadlineMs = 5_000;
const bootDeadlineMs = 20_000;
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Starts a program and waits until `url` answers 200. Throws with what it printed when it does not. */
export async function startProgram(command: string, args: readonly string[], url: string): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-8_192);
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const running: Running = { pid: child.pid ?? 0, stop: () => stop(child, exited) };
  const deadline = performance.now() + bootDeadlineMs;
  while (child.exitCode === null && performance.now() < deadline) {
    const answer = await fetch(url, { headers: { Authorization: 'Bearer warm' } }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) return running;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await running.stop();
  throw new Error(`${command} did not serve ${url}\n${output}`);
}

/** The child processes of `pid` whose command line contains `words`. */
export function childrenOf(pid: number, words = ''): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const children = text === '' ? [] : text.split(' ').map(Number);
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(words));
}

/** Microseconds of user and system time the processes have used, in steps of 10 ms. */
export function cpuTime(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // The name may hold spaces and parentheses: count the fields after the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks / ticksPerSecond) * 1_000_000;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await exited;
  clearTimeout(timer);
}
