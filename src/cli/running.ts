// How a gateway that runs was started, as the kernel tells it. Linux only.

import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export interface Running {
  /** Flags only. */
  readonly argv: readonly string[];
  /** Null where this user may not see them. */
  readonly env: NodeJS.ProcessEnv | null;
  readonly cwd: string | null;
}

/** Null when there is no such process, or it is no gateway. An init such as tini before it is seen through. */
export function readRunning(pid: string): Running | null {
  if (!/^\d{1,10}$/.test(pid)) return null;
  const words = readWords(`/proc/${pid}/cmdline`);
  const argv = words === null ? null : flagsIn(words);
  if (argv === null) return null;
  return { argv, env: readEnv(pid), cwd: readCwd(pid) };
}

/** Exported for tests: the flags of a command line that runs a gateway, else null. */
export function flagsIn(words: readonly string[]): readonly string[] | null {
  const program = words.findIndex((word) => programs.has(path.basename(word)));
  if (program === -1) return null;
  let at = program + 1;
  // As `dispatch` reads them.
  for (const word of ['traefik', 'run']) if (words[at] === word) at += 1;
  const first = words[at];
  return first === undefined || first.startsWith('-') ? words.slice(at) : null;
}

const programs = new Set(['portcullis', 'traefik', 'main.js', 'main.ts']);

function readWords(file: string): readonly string[] | null {
  try {
    return readFileSync(file, 'utf8').replace(/\0$/, '').split('\0');
  } catch {
    return null;
  }
}

function readEnv(pid: string): NodeJS.ProcessEnv | null {
  const words = readWords(`/proc/${pid}/environ`);
  if (words === null) return null;
  return Object.fromEntries(
    words.map((word) => {
      const end = word.indexOf('=');
      return end === -1 ? [word, ''] : [word.slice(0, end), word.slice(end + 1)];
    }),
  );
}

function readCwd(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
