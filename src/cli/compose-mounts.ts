// What a gateway's paths in its container are on this machine.

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ComposeService } from '../config/sources/compose.ts';
import type { Diagnostic, Place } from '../model/diagnostic.ts';

/** Null: nothing of this machine is mounted there. The deepest mount counts. */
export function hostPath(gateway: ComposeService, inside: string, folder: string): string | null {
  const wanted = path.posix.resolve('/', inside);
  const [mount] = gateway.mounts
    .filter(({ target }) => {
      const at = path.posix.resolve('/', target);
      return wanted === at || wanted.startsWith(at === '/' ? at : `${at}/`);
    })
    .toSorted((a, b) => b.target.length - a.target.length);
  if (mount === undefined || mount.source === '') return null;
  return path.join(
    path.resolve(folder, mount.source),
    path.posix.relative(path.posix.resolve('/', mount.target), wanted),
  );
}

export interface MountedBelow {
  /** In the container. */
  readonly target: string;
  /** Null: it is not on this machine. */
  readonly host: string | null;
  readonly isFolder: boolean;
  readonly where: Place | undefined;
}

/** What is mounted into a directory by itself, as far as a file provider would read it. */
export function filesMountedBelow(
  gateway: ComposeService,
  directory: string,
  folder: string,
): readonly MountedBelow[] {
  const root = `${path.posix.resolve('/', directory)}/`;
  return gateway.mounts.flatMap(({ target, source, where }) => {
    const inside = path.posix.resolve('/', target);
    if (!inside.startsWith(root)) return [];
    const written = source === '' ? null : path.resolve(folder, source);
    const host = written !== null && existsSync(written) ? written : null;
    const isFolder = host !== null && statSync(host).isDirectory();
    if (!isFolder && !/\.(ya?ml|toml)$/i.test(inside)) return [];
    return [{ target: inside, host, isFolder, where }];
  });
}

export function notMounted(
  { where, name }: ComposeService,
  inside: string,
  source: string,
  place: Place = where,
): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.not_mounted',
    message: `${name} reads ${inside.slice(0, 200)}, and nothing that is here is mounted there: it is not looked at`,
    where: { ...place, source },
    hint: 'name those files on the command line as well',
  };
}
