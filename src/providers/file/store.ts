// The files of one target with the last good content of each.

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DynamicConfig, ProviderConfig } from '../../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Listing } from './list.ts';
import { listFiles, maxFiles } from './list.ts';
import type { ReadMemory, ReadSettings } from './read.ts';
import { readDynamic } from './read.ts';
import { readText } from '../../util/read-text.ts';

export type FileTarget = { readonly filename: string } | { readonly directory: string };

/** How long a file that became empty is given to be written: over a network what follows may take its time. */
export const emptyGraceMs = 2000;

export interface Refreshed {
  readonly changed: boolean;
  /** A file became empty: an editor may be between emptying and writing it. Look again soon. */
  readonly again: boolean;
}

export interface FileStore {
  /**
   * Looks at the files again. `signs`: read only what its size, time or inode say has changed; `content`: read
   * all, decode what differs; `all`: decode everything, for what lies beside the files (environment, PEM files).
   */
  refresh(depth: 'signs' | 'content' | 'all'): Refreshed;
  config(): ProviderConfig;
  diagnostics(): Diagnostic[];
  listing(): Listing;
}

export function createFileStore(target: FileTarget, settings: ReadSettings): FileStore {
  const store: Store = { target, settings, files: new Map(), listing: null, problems: [] };
  return {
    refresh: (depth) => refresh(store, depth),
    config: () => ({
      provider: 'file',
      parts: [...store.files.values()].flatMap(({ good }) => (good === null ? [] : [good])),
    }),
    diagnostics: () => [
      ...store.problems,
      ...[...store.files.values()].flatMap(({ diagnostics }) => diagnostics),
    ],
    // Before there is anything, its parent is where it will appear.
    listing: () => store.listing ?? { files: [], directories: [dirname(pathOf(target))], truncated: false },
  };
}

interface Store {
  readonly target: FileTarget;
  readonly settings: ReadSettings;
  /** At most `maxFiles`. */
  files: Map<string, FileState>;
  listing: Listing | null;
  problems: readonly Diagnostic[];
}

interface FileState {
  readonly sign: string;
  readonly hash: string;
  readonly good: DynamicConfig | null;
  /** `good` was read without an error: only then it is worth keeping instead of what comes with one. */
  readonly isSound: boolean;
  readonly diagnostics: readonly Diagnostic[];
  /** Of the last text that was read; null when it was not read at all, or when there is no room for more. */
  readonly memory: ReadMemory | null;
  /** Milliseconds of `performance.now()`: found empty then, and not believed yet. */
  readonly emptySince: number | null;
}

function refresh(store: Store, depth: 'signs' | 'content' | 'all'): Refreshed {
  const before = store.problems;
  const listing = look(store);
  if (listing === null) return { changed: !sameProblems(before, store.problems), again: false };
  const next = new Map<string, FileState>();
  let changed = store.listing === null || !sameProblems(before, store.problems);
  let again = false;
  for (const path of listing.files) {
    const old = store.files.get(path);
    const state = stateOf(path, old, store.settings, depth);
    if (state === null) continue;
    again ||= state.emptySince !== null;
    next.set(path, state);
    if (state !== old) changed ||= old === undefined || state.hash !== old.hash || depth === 'all';
  }
  changed ||= [...store.files.keys()].some((path) => !next.has(path));
  store.files = withinMemory(next);
  store.listing = listing;
  return { changed, again };
}

/** Characters of the texts remembered of all files together; their trees take many times as much. */
const maxRemembered = 16 * 1024 * 1024;

function withinMemory(files: Map<string, FileState>): Map<string, FileState> {
  let size = 0;
  for (const [path, state] of files) {
    size += state.memory?.yaml?.text.length ?? 0;
    if (size > maxRemembered && state.memory !== null) files.set(path, { ...state, memory: null });
  }
  return files;
}

function pathOf(target: FileTarget): string {
  return 'directory' in target ? target.directory : target.filename;
}

/** Null when the target cannot be read: everything stays as it was. */
function look(store: Store): Listing | null {
  try {
    if ('directory' in store.target) {
      const listing = listFiles(store.target.directory);
      store.problems = listing.truncated ? [tooMany(store.target.directory)] : [];
      return listing;
    }
    const path = store.target.filename;
    statSync(path);
    store.problems = [];
    return { files: [path], directories: [dirname(path)], truncated: false };
  } catch (error) {
    const source = pathOf(store.target);
    const kept = store.listing === null ? '' : ': its last content stays';
    store.problems = [unreadable(source, error, kept)];
    return null;
  }
}

function stateOf(
  path: string,
  old: FileState | undefined,
  settings: ReadSettings,
  depth: string,
): FileState | null {
  const sign = signOf(path);
  // Gone between listing and looking.
  if (sign === null) return null;
  if (depth === 'signs' && old?.sign === sign && old.emptySince === null) return old;
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const diagnostics = [unreadable(path, error, old?.good ? ': its last good content stays' : '')];
    return {
      sign,
      hash: `unreadable ${diagnostics[0]?.message}`,
      good: old?.good ?? null,
      isSound: old?.isSound ?? false,
      diagnostics,
      memory: old?.memory ?? null,
      emptySince: null,
    };
  }
  const hash = createHash('sha256').update(text).digest('hex');
  if (depth !== 'all' && old?.hash === hash)
    return old.sign === sign && old.emptySince === null ? old : { ...old, sign, emptySince: null };
  if (text.trim() === '' && old?.good) {
    const since = old.emptySince ?? performance.now();
    if (performance.now() - since < emptyGraceMs) return { ...old, sign, emptySince: since };
  }
  const read = readDynamic(path, text, settings, depth === 'all' ? null : (old?.memory ?? null));
  const { memory } = read;
  if (read.sound || old?.good == null || !old.isSound) {
    const { config: good, sound: isSound, diagnostics } = read;
    return { sign, hash, good, isSound, diagnostics, memory, emptySince: null };
  }
  return { ...old, sign, hash, diagnostics: [...read.diagnostics, kept(path)], memory, emptySince: null };
}

function signOf(path: string): string | null {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return null;
  }
}

function kept(path: string): Diagnostic {
  const message = 'the last good content of this file stays in use';
  return { severity: 'warning', code: 'config.kept', message, where: { source: path } };
}

function unreadable(source: string, error: unknown, consequence: string): Diagnostic {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? "it doesn't exist" : (code ?? message);
  return {
    severity: 'error',
    code: 'config.unreadable',
    message: `cannot be read: ${why}${consequence}`,
    where: { source },
  };
}

function tooMany(source: string): Diagnostic {
  const message = `there are more than ${maxFiles} files or too many directories: the rest is left out`;
  return { severity: 'error', code: 'config.too_many_files', message, where: { source } };
}

function sameProblems(a: readonly Diagnostic[], b: readonly Diagnostic[]): boolean {
  return a.length === b.length && a.every((problem, index) => problem.message === b[index]?.message);
}
