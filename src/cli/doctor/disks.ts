// Probe: room and permission where the gateway writes: logs and certificates.

import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Finding } from './finding.ts';
import { pathIn, type Scene } from './scene.ts';

/** Bytes. */
const little = 100 * 1024 * 1024;
const none = 10 * 1024 * 1024;

export function probeDisks(scene: Scene): Finding[] {
  const { resolved } = scene;
  if (resolved === null) return [];
  const { log, accessLog } = resolved.worker;
  const logs = [log.filePath, accessLog?.filePath ?? null].filter((path) => path !== null);
  const stores = resolved.redis === null ? resolved.resolvers.map(({ storage }) => storage) : [];
  const findings = logs.flatMap((written) => unwritable(scene, written));
  const folders = new Set([...logs, ...stores].map((written) => folderOf(pathIn(scene, written))));
  return [...findings, ...[...folders].map(room)];
}

function unwritable(scene: Scene, written: string): Finding[] {
  const path = pathIn(scene, written);
  try {
    accessSync(existsSync(path) ? path : folderOf(path), constants.W_OK);
    return [];
  } catch {
    const says = `${written} cannot be written by this user`;
    return [{ level: 'error', says, fix: `\`chown\` ${dirname(written)} to the user of the gateway` }];
  }
}

/** The nearest folder that is there. */
function folderOf(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function room(folder: string): Finding {
  const { bavail, bsize, blocks, files, ffree } = statfsSync(folder);
  const left = bavail * bsize;
  const share = blocks === 0 ? 100 : (100 * bavail) / blocks;
  const says = `${folder}: ${megabytes(left)} are free (${share.toFixed(0)} %)`;
  const fix = '`log.maxSize` and `log.maxBackups` bound logs; `du -xh --max-depth=2 /` finds what is large';
  // Some file systems count no inodes.
  if (files > 0 && ffree === 0)
    return { level: 'error', says: `${folder}: no inode is free`, fix: '`df -i` shows where they went' };
  if (left >= little) return { level: 'ok', says };
  return { level: left < none ? 'error' : 'warning', says, fix };
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
