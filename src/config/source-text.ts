// The text of a diagnostic's source, read again for the frame around the mistake.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** Bytes; a frame of a larger file is not worth reading it. */
const maxBytes = 8 * 1024 * 1024;
/** Files kept, for one run of one command. */
const maxFiles = 100;

/** Texts by source name, relative ones from `cwd`; null for what is no readable file. */
export function sourceText(cwd: string): (source: string) => string | null {
  const known = new Map<string, string | null>();
  return (source) => {
    const before = known.get(source);
    if (before !== undefined) return before;
    const text = read(path.resolve(cwd, source));
    if (known.size < maxFiles) known.set(source, text);
    return text;
  };
}

function read(file: string): string | null {
  try {
    const found = statSync(file);
    return found.isFile() && found.size <= maxBytes ? readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
