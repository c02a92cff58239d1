// The machine a result was measured on, without anything that tells whose it is.

import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { commandPath } from './install.ts';
import type { Peer } from './peers/peer.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Versions by name. */
  readonly peers: Readonly<Record<string, string>>;
}

export function readMachine(peers: readonly Peer[]): Machine {
  const found = peers.filter((peer) => peer.command === null || commandPath(peer.command) !== null);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 1_048_576),
    kernel: release(),
    node: process.version,
    peers: Object.fromEntries(found.map((peer) => [peer.name, versionOf(peer)])),
  };
}

function versionOf(peer: Peer): string {
  const options = { encoding: 'utf8', timeout: 10_000 } as const;
  const run = spawnSync(peer.command ?? process.execPath, [...peer.version], options);
  return /\d+\.\d+[^\s,]*/.exec(`${run.stdout}${run.stderr}`)?.[0]?.slice(0, 50) ?? 'unknown';
}
