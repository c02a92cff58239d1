// Files that middlewares name in their options: read here, wherever the options come from, and watched, so that
// workers read none and a changed file is a changed configuration.

import { dirname } from 'node:path';
import { type FilledMiddleware, fillFiles } from '../config/dynamic/fill-files.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ProviderConfig,
  Written,
} from '../config/dynamic/provider-config.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { readText } from './file/text.ts';
import { type FileWatch, watchFiles } from './file/watch.ts';

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

/** Files named by all middlewares together. */
const maxFiles = 1_000;

/** `onChange` null watches nothing. */
export function createNamedFiles(onChange: (() => void) | null): NamedFiles {
  let seen: ReadonlyMap<string, string> = new Map();
  const good = new Map<string, string>();
  let watch: FileWatch | null = null;
  const look = (): void => {
    for (const [path, text] of seen) {
      if (readOr(path) === text) continue;
      onChange?.();
      return;
    }
  };
  return {
    fill(sources) {
      const texts = new Map<string, string>();
      const filled = fillAll(sources, { now: texts, good });
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

interface Texts {
  /** As the files are now, by path. */
  readonly now: Map<string, string>;
  /** As they were when they last could be used: a file that is broken, or being written, undoes nothing. */
  readonly good: Map<string, string>;
}

function fillAll(sources: readonly ProviderConfig[], texts: Texts): Filled {
  const diagnostics: Diagnostic[] = [];
  const fillPart = (config: DynamicConfig): DynamicConfig => {
    let changed: Map<string, Written<MiddlewareConfig>> | null = null;
    for (const [name, written] of config.middlewares) {
      const filled = fillOne(name, written, texts);
      if (filled.written === written) continue;
      changed ??= new Map(config.middlewares);
      changed.set(name, filled.written);
      diagnostics.push(...filled.diagnostics);
    }
    return changed === null ? config : { ...config, middlewares: changed };
  };
  const filled = sources.map((source) => ({ ...source, parts: source.parts.map(fillPart) }));
  for (const path of texts.good.keys()) if (!texts.now.has(path)) texts.good.delete(path);
  return { sources: filled, diagnostics };
}

function fillOne(name: string, written: Written<MiddlewareConfig>, { now, good }: Texts): FilledMiddleware {
  const used = new Set<string>();
  const filled = fillFiles(name, written, (path) => {
    if (!now.has(path) && now.size >= maxFiles) throw new Error(`more than ${maxFiles} files are named`);
    const text = now.get(path) ?? readOr(path);
    now.set(path, text);
    used.add(path);
    return readable(path, text);
  });
  if (filled.diagnostics.length === 0) {
    for (const path of used) good.set(path, now.get(path) ?? '');
    return filled;
  }
  const before = fillFiles(name, written, (path) => readable(path, good.get(path) ?? now.get(path) ?? ''));
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
    return unreadable + (code === 'ENOENT' ? "doesn't exist" : `cannot be read: ${code ?? message}`);
  }
}
