// A gateway that takes the place of another one: who that is, whether all is in place, and its leave.

import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import type { EntryPointSpec } from '../model/entry-point.ts';
import { tryPort, listenProblem } from './port-check.ts';

/** The gateway that serves until its successor does. */
export interface Predecessor {
  readonly pid: number;
  /** What is in the way of the entry points beside the predecessor and this process's own workers, or null. */
  obstacle(entryPoints: readonly EntryPointSpec[]): Promise<string | null>;
  /** Asks it to close its listeners and to finish what it runs; false when it has ended meanwhile. */
  retire(): boolean;
}

export type Found =
  | { readonly ok: true; readonly predecessor: Predecessor }
  | { readonly ok: false; readonly problem: string };

/**
 * The gateway with this process id. It must belong to this process's user and its workers must listen on one of
 * the entry points: a wrong number must end nobody else's process. Linux only.
 */
export function findPredecessor(pid: number, entryPoints: readonly EntryPointSpec[]): Found {
  if (process.platform !== 'linux') return no('a handover needs Linux');
  if (pid === process.pid) return no('a gateway cannot take over from itself');
  const born = startTime(pid);
  if (born === null) return no(`there is no process ${pid}`);
  if (ownerOf(pid) !== process.geteuid?.()) return no(`process ${pid} belongs to another user`);
  const predecessor: Predecessor = {
    pid,
    obstacle: (points) => obstacle(pid, points),
    retire() {
      // A number may be given to another process once its own has ended.
      if (startTime(pid) !== born) return false;
      process.kill(pid, 'SIGQUIT');
      return true;
    },
  };
  const own = socketsBelow(pid);
  const serves = listeners().some(
    ({ port, inode }) => own.has(inode) && entryPoints.some((point) => point.port === port),
  );
  return serves ? { ok: true, predecessor } : no(`process ${pid} serves none of the entry points`);
}

function no(problem: string): Found {
  return { ok: false, problem };
}

async function obstacle(pid: number, entryPoints: readonly EntryPointSpec[]): Promise<string | null> {
  const all = listeners();
  const known = new Set([...socketsBelow(pid), ...socketsBelow(process.pid)]);
  for (const point of entryPoints) {
    if (point.port === 0) continue;
    const there = all.filter((one) => one.port === point.port && overlaps(one.address, point.host));
    if (there.some(({ inode }) => !known.has(inode))) return listenProblem(point, 'EADDRINUSE');
    const code = there.length === 0 ? await tryPort(point.host, point.port) : null;
    if (code !== null) return listenProblem(point, code);
  }
  return null;
}

interface Listener {
  /** As the kernel writes it: hexadecimal. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** Of this network namespace. */
function listeners(): Listener[] {
  return ['tcp', 'tcp6'].flatMap((table) =>
    (readText(`/proc/net/${table}`) ?? '').split('\n').flatMap((line) => {
      const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      return state === '0A' ? [{ address, port: Number.parseInt(port, 16), inode }] : [];
    }),
  );
}

/** Rather too often: an address that is not read for certain is one that may be meant. */
function overlaps(address: string, host: string): boolean {
  if (/^0+$/.test(address) || address.length !== 8 || isIP(host) !== 4 || host === '0.0.0.0') return true;
  const bytes = host.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  // In the machine's byte order, which is little-endian wherever the gateway runs.
  return bytes.reverse().join('').toUpperCase() === address;
}

/** Inodes of the sockets that the process and its children hold. */
function socketsBelow(pid: number): Set<string> {
  const children = (readText(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean);
  return new Set([String(pid), ...children].flatMap(socketsOf));
}

function socketsOf(pid: string): string[] {
  const inodes: string[] = [];
  for (const fd of descriptorsOf(pid)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.push(inode);
    } catch {
      // Closed since it was listed.
    }
  }
  return inodes;
}

function descriptorsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

/** In the kernel's ticks since boot; null for a process that is not there or has ended. */
function startTime(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, parentheses too.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? null : (fields[19] ?? null);
}

function ownerOf(pid: number): number | null {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
