// Files that middlewares name in their options, and those of certificates: read here, wherever the options come
// from, and watched, so that workers read none and a changed file is a changed configuration.

import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FilledMiddleware, fillFiles } from '../config/dynamic/fill-files.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ProviderConfig,
  Written,
} from '../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { readText } from '../util/read-text.ts';
import { type FileWatch, watchFiles } from './file/watch.ts';
import { fillTls, type Pair, type PemSource } from './pem-files.ts';

export interface Filled {
  readonly sources: readonly ProviderConfig[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface NamedFiles {
  /** The same with the files' texts in them; a middleware whose file cannot be read is broken. */
  fill(sources: readonly ProviderConfig[]): Filled;
  /** Nothing is called afterwards. */
  close(): void;
}

/** Files named by all middlewares and certificates together. */
const maxFiles = 4_000;

/** `onChange` null watches nothing. */
export function createNamedFiles(onChange: (() => void) | null): NamedFiles {
  let seen: ReadonlyMap<string, Seen> = new Map();
  const good = new Map<string, string>();
  let pairs: ReadonlyMap<string, Pair> = new Map();
  let watch: FileWatch | null = null;
  const look = (by: 'event' | 'poll'): void => {
    for (const [path, before] of seen) {
      if (by === 'poll' && before.sign !== null && signOf(path) === before.sign) continue;
      if (readOr(path) === before.text) continue;
      onChange?.();
      return;
    }
  };
  return {
    fill(sources) {
      const texts = new Map<string, Seen>();
      const used = new Map<string, Pair>();
      const filled = fillAll(sources, { now: texts, good, before: seen }, { good: pairs, used });
      pairs = used;
      seen = texts;
      if (onChange !== null && (texts.size > 0 || watch !== null)) {
        watch ??= watchFiles(look);
        const files = [...texts.keys()];
        watch.arm({ files, directories: [...new Set(files.map((file) => dirname(file)))], truncated: false });
      }
      return filled;
    },
    close() {
      watch?.close();
    },
  };
}

interface Seen {
  readonly text: string;
  /** What tells a file from its successor; null when it is too young for that, or cannot be read. */
  readonly sign: string | null;
}

interface Texts {
  /** As the files are now, by path. */
  readonly now: Map<string, Seen>;
  /** As they were the last time. */
  readonly before: ReadonlyMap<string, Seen>;
  /** As they were when they last could be used: a file that is broken, or being written, undoes nothing. */
  readonly good: Map<string, string>;
}

function fillAll(
  sources: readonly ProviderConfig[],
  texts: Texts,
  pairs: Pick<PemSource, 'good' | 'used'>,
): Filled {
  const diagnostics: Diagnostic[] = [];
  const pems = { ...pairs, now: Date.now(), read: (path: string) => readable(path, readNow(path, texts)) };
  const fillPart = (config: DynamicConfig): DynamicConfig => {
    let changed: Map<string, Written<MiddlewareConfig>> | null = null;
    for (const [name, written] of config.middlewares) {
      const filled = fillOne(name, written, texts);
      if (filled.written === written) continue;
      changed ??= new Map(config.middlewares);
      changed.set(name, filled.written);
      diagnostics.push(...filled.diagnostics);
    }
    const tls = fillTls(config.tls, pems, diagnostics);
    if (changed === null && tls === config.tls) return config;
    return { ...config, tls, middlewares: changed ?? config.middlewares };
  };
  const filled = sources.map((source) => ({ ...source, parts: source.parts.map(fillPart) }));
  for (const path of texts.good.keys()) if (!texts.now.has(path)) texts.good.delete(path);
  return { sources: filled, diagnostics };
}

/** Throws `Error` when more files are named than are read. */
function readNow(path: string, { now, before }: Texts): string {
  const known = now.get(path);
  if (known !== undefined) return known.text;
  if (now.size >= maxFiles) throw new Error(`more than ${maxFiles} files are named`);
  const sign = signOf(path);
  const old = before.get(path);
  const seen = old !== undefined && sign !== null && old.sign === sign ? old : { text: readOr(path), sign };
  now.set(path, seen);
  return seen.text;
}

/** Within it a file may change without its times telling: what they count in is coarse. */
const youngMs = 2000;

function signOf(path: string): string | null {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    if (Date.now() - Number(ctimeNs / 1_000_000n) < youngMs) return null;
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return null;
  }
}

function fillOne(name: string, written: Written<MiddlewareConfig>, texts: Texts): FilledMiddleware {
  const { now, good } = texts;
  const used = new Set<string>();
  const filled = fillFiles(name, written, (path) => {
    const text = readNow(path, texts);
    used.add(path);
    return readable(path, text);
  });
  if (filled.diagnostics.length === 0) {
    for (const path of used) good.set(path, now.get(path)?.text ?? '');
    return filled;
  }
  const before = fillFiles(name, written, (path) =>
    readable(path, good.get(path) ?? now.get(path)?.text ?? ''),
  );
  if (before.diagnostics.length > 0) return filled;
  const told = filled.diagnostics.map((problem) => ({
    ...problem,
    message: `${problem.message}; the last good content of the file stays in use`,
  }));
  return { written: before.written, diagnostics: told };
}

function readable(path: string, text: string): string {
  if (!text.startsWith(unreadable)) return text;
  throw new Error(`the file ${JSON.stringify(path.slice(0, 200))} ${text.slice(unreadable.length)}`);
}

/** Begins a text that no file holds: what is wrong with one is remembered like its content. */
const unreadable = '\0unreadable ';

function readOr(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') return `${unreadable}is a directory`;
    return unreadable + (code === 'ENOENT' ? "doesn't exist" : `cannot be read: ${code ?? message}`);
  }
}
