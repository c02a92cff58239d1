// Which process listens on a port, as far as this user may see.

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Holder {
  readonly pid: number;
  /** As the kernel has it; its arguments may hold secrets. */
  readonly name: string;
  /** It is this very program. */
  readonly isGateway: boolean;
}

const maxProcesses = 10_000;
/** Descriptors looked at, over all processes. */
const maxDescriptors = 200_000;
const listening = '0A';

/** Null: nobody, or nobody this user may see. */
export function holderOf(port: number): Holder | null {
  const sockets = listenersOn(port);
  if (sockets.size === 0) return null;
  let left = maxDescriptors;
  for (const pid of processes()) {
    for (const descriptor of namesIn(`/proc/${pid}/fd`)) {
      if ((left -= 1) < 0) return null;
      if (sockets.has(quietly(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`))))
        return { pid: gatewayOf(pid), name: nameOf(pid), isGateway: isGateway(pid) };
    }
  }
  return null;
}

/** As descriptors name them. */
function listenersOn(port: number): ReadonlySet<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of read(table).split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === listening && local.endsWith(`:${wanted}`)) sockets.add(`socket:[${inode}]`);
    }
  }
  return sockets;
}

function processes(): string[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .slice(0, maxProcesses);
}

function nameOf(pid: number | string): string {
  return read(`/proc/${pid}/comm`).trim().slice(0, 40) || 'a process';
}

/** Workers hold the ports; whoever stops a gateway stops its primary. */
function gatewayOf(pid: string): number {
  const parent = /^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(parent !== undefined && isGateway(pid) && isGateway(parent) ? parent : pid);
}

function isGateway(pid: string): boolean {
  const [, ...words] = read(`/proc/${pid}/cmdline`).split('\0');
  const program = words.find((word) => !word.startsWith('-')) ?? '';
  const own = fileURLToPath(new URL('../../main.ts', import.meta.url));
  return (
    program.endsWith(extname(own)) &&
    quietly(() => realpathSync(program)) === quietly(() => realpathSync(own))
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  return quietly(() => readFileSync(file, 'utf8'));
}

function quietly(of: () => string): string {
  try {
    return of();
  } catch {
    return '';
  }
}
