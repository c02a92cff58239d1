// Which files a directory holds: recursive, in a fixed order, bounded.

import { readdirSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { extname, join } from 'node:path';
import { compare, comparePaths } from '../../config/dynamic/merge.ts';

export const maxFiles = 10_000;
/** Directories looked into, and levels of them. */
export const maxDirectories = 10_000;
export const maxDepth = 32;

export interface Listing {
  readonly files: readonly string[];
  /** The root first; what has to be watched for new files. */
  readonly directories: readonly string[];
  /** Whether a bound was hit. */
  readonly truncated: boolean;
}

const extensions = new Set(['.yaml', '.yml', '.toml']);

/** Sorted by path. Throws the file system's error when the root itself cannot be read. */
export function listFiles(root: string): Listing {
  const files: string[] = [];
  const directories = [root];
  let truncated = false;
  const depths = new Map([[root, 0]]);
  for (let at = 0; at < directories.length; at += 1) {
    const directory = directories[at] as string;
    const depth = depths.get(directory) ?? 0;
    for (const entry of entriesOf(directory, at === 0)) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        // `..data` and its dated neighbours are how Kubernetes swaps a whole volume: the files show up beside them.
        if (entry.name.startsWith('..')) continue;
        if (directories.length >= maxDirectories || depth >= maxDepth) truncated = true;
        else {
          directories.push(path);
          depths.set(path, depth + 1);
        }
      } else if (extensions.has(extname(entry.name).toLowerCase()) && isFile(path, entry)) {
        if (files.length >= maxFiles) truncated = true;
        else files.push(path);
      }
    }
  }
  return { files: files.sort(comparePaths), directories, truncated };
}

function entriesOf(directory: string, isRoot: boolean): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => compare(a.name, b.name));
  } catch (error) {
    if (isRoot) throw error;
    return [];
  }
}

function isFile(path: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
