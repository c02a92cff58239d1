// One `acme.json` of this process, whoever uses it: one writer, one set of leases, one list of challenges.

import { type FileHandle, open, realpath } from 'node:fs/promises';
import { constants, type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Challenge } from '../../model/acme.ts';
import { type AcmeFile, parseFile, printFile } from './file-format.ts';
import { replaceFile, secretMode } from './write-file.ts';

/** Bytes: ten thousand certificates of RSA 4096 with their chains take about a hundred megabytes. */
export const maxFileBytes: number = 128 * 1024 * 1024;
/** Milliseconds between two looks whether somebody else has written. */
const watchInterval = 5_000;

export interface SharedFile {
  readonly path: string;
  /** Running work, by its name; a lease of one process is never lost. */
  readonly leases: Set<string>;
  readonly challenges: Map<string, { readonly challenge: Challenge; readonly until: number }>;
  readonly listeners: Set<() => void>;
  read(): Promise<AcmeFile>;
  /** Reads anew, so that what others have put into the file since stays in it. One after the other. */
  change(edit: (file: AcmeFile) => AcmeFile): Promise<void>;
  /** Of a file beside it, one after the other as well. */
  beside<T>(work: () => Promise<T>): Promise<T>;
  release(): void;
}

const shared = new Map<string, { readonly file: SharedFile; users: number }>();

/** Rejects with `Error` when the folder is not there. One per path, however often it is opened. */
export async function openShared(path: string): Promise<SharedFile> {
  const real = await realPath(path);
  const known = shared.get(real);
  if (known !== undefined) {
    known.users += 1;
    return known.file;
  }
  const file = createShared(real, path);
  shared.set(real, { file, users: 1 });
  return file;
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    // Not there yet: its folder has to be.
  }
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch {
    throw new Error(`the folder of \`${path}\` is not there: make it, or mount it`);
  }
}

function createShared(path: string, written: string): SharedFile {
  let last: Promise<unknown> = Promise.resolve();
  let known: string | null = null;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const read = async (): Promise<AcmeFile> => {
    const text = await readSecret(path, written);
    known = text;
    try {
      return parseFile(text);
    } catch (error) {
      throw new Error(`\`${written}\` cannot be used: ${(error as Error).message}`, { cause: error });
    }
  };
  const listeners = new Set<() => void>();
  const onStat: StatsListener = (now, before) => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) return;
    // Our own writes are not news.
    readSecret(path, written).then(
      (text) => {
        if (text !== known) for (const listener of listeners) listener();
      },
      () => undefined,
    );
  };
  watchFile(path, { interval: watchInterval, persistent: false }, onStat);
  return {
    path,
    leases: new Set(),
    challenges: new Map(),
    listeners,
    read: () => inTurn(read),
    change: (edit) =>
      inTurn(async () => {
        const text = printFile(edit(await read()));
        if (text === known) return;
        await replaceFile(path, text);
        known = text;
      }),
    beside: inTurn,
    release() {
      const entry = shared.get(path);
      if (entry === undefined) return;
      entry.users -= 1;
      if (entry.users > 0) return;
      shared.delete(path);
      unwatchFile(path, onStat);
    },
  };
}

/** Made when it is not there. Rejects when others than its owner may read it. */
async function readSecret(path: string, written: string): Promise<string> {
  const handle = await openOrMake(path);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error(`\`${written}\` is no file`);
    if ((stat.mode & 0o077) !== 0 && process.platform !== 'win32') {
      const mode = (stat.mode & 0o777).toString(8);
      throw new Error(`permissions ${mode} for \`${written}\` are too open: \`chmod 600 ${written}\``);
    }
    if (stat.size > maxFileBytes) throw new Error(`\`${written}\` is larger than ${maxFileBytes} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** A pipe that nobody writes to would be waited for until the end, and then the end for it. */
export const readAtOnce: number = constants.O_RDONLY | constants.O_NONBLOCK;

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, readAtOnce);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return open(path, 'a+', secretMode);
  }
}
