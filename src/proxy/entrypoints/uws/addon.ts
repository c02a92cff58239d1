// Which uWebSockets.js addon this machine needs, and the patched copy of it where the C library is old.

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addonChecksums, type AddonFile } from './checksums.ts';
import { type AddonBuild, addonBuilds, patchAddon } from './patch.ts';

/**
 * What to load: the package's own file, a patched copy of it, or nothing.
 * `reason` is one sentence for people.
 */
export type AddonPlan =
  | { readonly form: 'original'; readonly file: AddonFile; readonly source: string }
  | { readonly form: 'patched'; readonly build: AddonBuild; readonly source: string; readonly target: string }
  | { readonly form: 'none'; readonly reason: string };

const supportedAbi = '137';

/** Decides from the running Node alone; writes nothing. */
export function planAddon(): AddonPlan {
  const place = `${process.platform}-${process.arch}`;
  if (process.versions.modules !== supportedAbi) {
    return { form: 'none', reason: `Node ${process.version} is not Node 24, run it through npm scripts` };
  }
  const name = `uws_${process.platform}_${process.arch}_${supportedAbi}.node`;
  if (!isKnown(name)) return { form: 'none', reason: `uWebSockets.js has no build for ${place}` };
  const folder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
  const source = join(folder, name);
  if (process.platform !== 'linux') return { form: 'original', file: name, source };

  const glibc = glibcVersion();
  if (glibc === null)
    return { form: 'none', reason: 'uWebSockets.js needs glibc, and this system has another C library' };
  if (!isOlder(glibc, [2, 38])) return { form: 'original', file: name, source };
  if (isOlder(glibc, [2, 36])) {
    return {
      form: 'none',
      reason: `uWebSockets.js needs glibc 2.36 or newer, this system has ${glibc.join('.')}`,
    };
  }
  const build = addonBuilds.find((candidate) => candidate.file === name);
  if (build === undefined) return { form: 'none', reason: `no known way to run ${name} on this C library` };
  // The checksum in the name keeps the copy of an earlier version from being taken for this one's.
  const copy = name.replace('.node', `-${addonChecksums[name].slice(0, 12)}.node`);
  const target = join(folder, '..', '.cache', 'portcullis', copy);
  return { form: 'patched', build, source, target };
}

/** Writes the patched copy unless it is there. Throws when it cannot be made or written. */
export function writePatchedAddon(plan: Extract<AddonPlan, { form: 'patched' }>, target = plan.target): void {
  if (isCompleteFile(target, plan.source)) return;
  const bytes = patchAddon(readFileSync(plan.source), plan.build);
  mkdirSync(dirname(target), { recursive: true });
  // Several processes may start at once: each writes its own file, the rename is what others see.
  const draft = `${target}.${process.pid}`;
  try {
    writeFileSync(draft, bytes, { mode: 0o644 });
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * The path of a patched copy that exists; `dispose` once it is loaded. Where the install folder cannot be
 * written, the copy goes to a fresh folder only this user can open: a shared name in the temporary folder
 * would let another user choose the code we load.
 */
export function ensurePatchedAddon(plan: Extract<AddonPlan, { form: 'patched' }>): {
  path: string;
  dispose(): void;
} {
  try {
    writePatchedAddon(plan);
    return { path: plan.target, dispose: () => {} };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
    const path = join(folder, plan.build.file);
    writePatchedAddon(plan, path);
    return { path, dispose: () => rmSync(folder, { recursive: true, force: true }) };
  }
}

function isKnown(name: string): name is AddonFile {
  return Object.hasOwn(addonChecksums, name);
}

function glibcVersion(): readonly [number, number] | null {
  // The report collects network interfaces by default, which can take seconds on odd hosts.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const match = /^(\d+)\.(\d+)/.exec(report.header.glibcVersionRuntime ?? '');
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

function isOlder(version: readonly [number, number], than: readonly [number, number]): boolean {
  return version[0] < than[0] || (version[0] === than[0] && version[1] < than[1]);
}

function isCompleteFile(target: string, source: string): boolean {
  const found = statSync(target, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && found.size === statSync(source).size;
}
