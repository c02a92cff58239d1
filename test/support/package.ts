// The package as users get it: packed from a copy of the checkout, installed by npm into an empty folder.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

export interface Packed {
  readonly tarball: string;
  /** Bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly PackedFile[];
}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = ['bin', 'src', 'ops', 'grafana', 'docs', 'package.json', 'tsconfig.json'];
const more = ['tsconfig.build.json', 'tsconfig.plugin.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/** In a copy, because packing builds, and others may be using the checkout's `dist`. */
export function packCheckout(dir: string): Packed {
  const copy = join(dir, 'checkout');
  for (const name of [...sources, ...more]) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const args = ['pack', '--json', '--pack-destination', dir];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: copy, encoding: 'utf8', env: npmEnv() });
  if (status !== 0) throw new Error(`npm pack: ${stdout}${stderr}`);
  // What the build says comes first.
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    Omit<Packed, 'tarball'> & { filename: string },
  ];
  return { ...packed, tarball: join(dir, packed.filename) };
}

/** The `node` of the system, which is not the one npm has installed here; null for none. */
export function systemNode(): { readonly folder: string; readonly major: number } | null {
  for (const folder of foldersOfSystem()) {
    if (!existsSync(join(folder, 'node'))) continue;
    const { stdout } = spawnSync(join(folder, 'node'), ['--version'], { encoding: 'utf8' });
    return { folder, major: Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0) };
  }
  return null;
}

/** Into `dir`, which is made, as a user would: with the system's own Node where there is one. */
export function installPackage(dir: string, tarball: string): Ran {
  mkdirSync(dir);
  writeFileSync(join(dir, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  return runAsUser(dir, 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]);
}

/** Waits for its end; without anything of this checkout on the PATH, unless the system has no Node. */
export function runAsUser(cwd: string, command: string, args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: userEnv(),
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, output: `${stdout}${stderr}${error === undefined ? '' : String(error)}` };
}

export function userEnv(): NodeJS.ProcessEnv {
  const folders = systemNode() === null ? (process.env['PATH'] ?? '') : foldersOfSystem().join(delimiter);
  return { ...npmEnv(), PATH: folders, NO_COLOR: '1' };
}

function foldersOfSystem(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
}

/** An npm inside an npm script would take that one's package and folder for its own: only how to reach a registry stays. */
function npmEnv(): NodeJS.ProcessEnv {
  const kept = /^npm_config_(registry|userconfig|globalconfig|cache|proxy|https_proxy|noproxy|cafile)$/;
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('npm_') || kept.test(name)),
  );
}
