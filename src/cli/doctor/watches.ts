// Probe: whether changes of the configuration's files are noticed at once.

import { statfsSync, statSync, watch } from 'node:fs';
import type { Finding } from './finding.ts';
import { pathIn, type Scene } from './scene.ts';

/** File systems that tell nothing of what other machines write. */
const silent: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
]);

export function probeWatches(scene: Scene): Finding[] {
  const file = scene.config?.providers.file;
  if (file === undefined || !file.watch) return [];
  const written = file.directory !== undefined && file.directory !== '' ? file.directory : file.filename;
  if (written === undefined || written === '') return [];
  const path = pathIn(scene, written);
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    return [{ level: 'error', says: `${written} is not there`, fix: 'make it, or correct `providers.file`' }];
  try {
    watch(path).close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const says = `${written} cannot be watched (${code}): changes are noticed after 5 s only`;
    const fix =
      code === 'ENOSPC'
        ? '`sysctl fs.inotify.max_user_watches=524288`'
        : code === 'EMFILE'
          ? '`sysctl fs.inotify.max_user_instances=1024`'
          : 'let the user of the gateway read it';
    return [{ level: 'warning', says, fix }];
  }
  const kind = silent.get(Number(statfsSync(path).type) >>> 0);
  if (kind === undefined) return [{ level: 'ok', says: `${written} is watched` }];
  const says = `${written} lies on ${kind}: what others write there is noticed after 5 s only`;
  return [{ level: 'info', says, fix: '`kill -HUP` the primary to have it read at once' }];
}
