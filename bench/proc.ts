// What the kernel says of a process and its children: time used, memory held. Linux only.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Microseconds of user and system time by process, in steps of 10 ms. */
export type CpuTimes = ReadonlyMap<number, number>;

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** `pid` and all that descend from it, parents first; empty when it is gone. */
export function treeOf(pid: number): readonly number[] {
  const tree: number[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const children = childrenOf(next);
    if (children === null) continue;
    tree.push(next);
    queue.push(...children);
  }
  return tree;
}

export function cpuTimes(pids: readonly number[]): CpuTimes {
  const times = new Map<number, number>();
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === null) continue;
    // The name may hold spaces and parentheses: count the fields after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    times.set(pid, (ticks / ticksPerSecond) * 1_000_000);
  }
  return times;
}

/** Microseconds between two looks; processes that came in between count from zero. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): number {
  let sum = 0;
  for (const [pid, time] of after) sum += time - (before.get(pid) ?? 0);
  return sum;
}

/** Bytes, summed over the processes; pages they share count once for each. */
export function memoryOf(pids: readonly number[], what: 'VmHWM' | 'VmRSS'): number {
  const line = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm');
  let bytes = 0;
  for (const pid of pids) {
    const match = line.exec(read(`/proc/${pid}/status`) ?? '');
    bytes += Number(match?.[1] ?? 0) * 1_024;
  }
  return bytes;
}

/** Files a process of ours may have open. */
export function openFilesLimit(): number {
  const match = /^Max open files\s+(\S+)/m.exec(read('/proc/self/limits') ?? '');
  const limit = match?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match?.[1]);
  return Number.isNaN(limit) ? 1_024 : limit;
}

function childrenOf(pid: number): readonly number[] | null {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      const text = read(`/proc/${pid}/task/${task}/children`)?.trim() ?? '';
      return text === '' ? [] : text.split(' ').map(Number);
    });
  } catch {
    return null;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
