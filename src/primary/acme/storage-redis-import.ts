// What an `acme.json` holds of a resolver, for a Redis that has nothing of it yet.

import { open } from 'node:fs/promises';
import { accountIn, certificatesIn, parseFile } from './file-format.ts';
import { maxFileBytes, readAtOnce } from './shared-file.ts';
import type { ResolverState } from './storage.ts';

/** Null when there is no such file. Rejects when there is one that cannot be used: ordering anew would cost limits. */
export async function readAcmeFile(path: string, resolver: string): Promise<ResolverState | null> {
  try {
    const text = await readText(path);
    if (text === null) return null;
    const file = parseFile(text);
    return {
      account: accountIn(file, resolver),
      certificates: certificatesIn(file, resolver),
      attempts: [],
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it cannot be read';
    throw new Error(`\`${path}\` cannot be taken over into Redis: ${reason}`);
  }
}

async function readText(path: string): Promise<string | null> {
  let file;
  try {
    file = await open(path, readAtOnce);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > maxFileBytes) throw new Error('it is larger than 128 MiB');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
