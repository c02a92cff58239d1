// Reads what a run has written.

import { readFileSync } from 'node:fs';
import type { ResultFile } from './result.ts';

/** Throws when it is no result. */
export function readResult(file: string): ResultFile {
  const result = JSON.parse(readFileSync(file, 'utf8')) as Partial<ResultFile>;
  if (result.format !== 1 || !Array.isArray(result.rows))
    throw new Error(`${file} is no result of npm run bench`);
  return result as ResultFile;
}
