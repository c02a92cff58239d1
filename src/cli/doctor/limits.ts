// Probe: what a process of the gateway may take: descriptors and memory.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Finding } from './finding.ts';
import { holderOf } from './holder.ts';
import type { Scene } from './scene.ts';

/** Below it a busy gateway runs out in minutes. */
const fewDescriptors = 4_096;
const enoughDescriptors = 65_536;
/** Bytes one process takes under load, about. */
const perProcess = 128 * 1024 * 1024;

export function probeLimits({ resolved }: Scene): Finding[] {
  return [...descriptors(resolved?.entryPoints.map(({ port }) => port) ?? []), ...processes(resolved)];
}

function descriptors(ports: readonly number[]): Finding[] {
  const running = ports
    .filter((port) => port !== 0)
    .map(holderOf)
    .find((holder) => holder?.isGateway);
  const limit = limitOf(String(running?.pid ?? 'self'));
  if (limit === null) return [];
  const whose = running == null ? 'of this shell' : `of the running gateway, pid ${running.pid}`;
  const says = `${limit === Infinity ? 'any number of' : limit.toLocaleString('en')} open files a process (${whose}): a request takes two`;
  if (limit >= enoughDescriptors) return [{ level: 'ok', says }];
  const fix =
    '`LimitNOFILE=1048576` in the unit, `ulimits: {nofile: 1048576}` in a compose file, or `ulimit -n 1048576`';
  return [{ level: limit < fewDescriptors ? 'error' : 'warning', says, fix }];
}

/** The hard limit: Node takes all of it for itself when it starts. Null where there is no such file. */
function limitOf(pid: string): number | null {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    const [, , hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
    return hard === undefined ? null : hard === 'unlimited' ? Infinity : Number(hard);
  } catch {
    return null;
  }
}

function processes(resolved: Scene['resolved']): Finding[] {
  if (resolved === null) return [];
  const { workers } = resolved;
  const cores = availableParallelism();
  const findings: Finding[] = [];
  if (workers > cores) {
    const says = `${workers} workers for ${cores} cores: they get in each other’s way`;
    findings.push({ level: 'warning', says, fix: `\`--workers=${cores}\`` });
  }
  const memory = process.constrainedMemory();
  const wanted = (workers + 1) * perProcess;
  // Without a bound it is 0, or a number beyond all memory.
  if (memory > 0 && memory < wanted) {
    const says = `${megabytes(memory)} of memory for ${workers} workers and the primary, which may take ${megabytes(wanted)} under load`;
    findings.push({
      level: 'warning',
      says,
      fix: 'give the container more memory, or write fewer `workers`',
    });
  }
  return findings;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
