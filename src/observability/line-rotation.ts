// Moves a log file aside when it has grown to its bound. Primary and workers append to the same file: whoever sees it
// too long moves it, under a lock; the others see that their descriptor is not the file of that name any more.

import { randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RotationSettings } from '../model/settings.ts';

/** Milliseconds between two looks at the file; a burst may make it this much longer. */
const lookEvery = 500;
/** Milliseconds after which a lock is that of a process which died. */
const lockLife = 10_000;

/** Of one writer; its files are those of all writers of that path. */
export class LineRotation {
  readonly #path: string;
  readonly #settings: RotationSettings;
  #nextLook = 0;
  #isTidying = false;

  constructor(path: string, settings: RotationSettings) {
    this.#path = path;
    this.#settings = settings;
  }

  /** True when `fd` is not the file to write to any more. Never throws: a log that cannot be rotated grows. */
  isDue(fd: number): boolean {
    const now = performance.now();
    if (now < this.#nextLook) return false;
    this.#nextLook = now + lookEvery;
    try {
      if (!this.#isCurrent(fd)) return true;
      return fstatSync(fd).size >= this.#settings.maxBytes && this.#rotate(fd);
    } catch {
      return false;
    }
  }

  #isCurrent(fd: number): boolean {
    const named = statSync(this.#path, { throwIfNoEntry: false });
    const open = fstatSync(fd);
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  }

  #rotate(fd: number): boolean {
    const lock = `${this.#path}.rotating`;
    if (!take(lock)) return false;
    try {
      // Another may have been quicker.
      if (this.#isCurrent(fd)) renameSync(this.#path, this.#backupName());
    } finally {
      rmdirSync(lock);
    }
    if (!this.#isTidying) void this.#tidy();
    return true;
  }

  /** `access-2026-01-02T15-04-05.678.log`, in local time like Traefik's: names sort by age. */
  #backupName(): string {
    const { stem, extension } = this.#parts();
    const local = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000);
    const stamp = local.toISOString().slice(0, 23).replaceAll(':', '-');
    return join(dirname(this.#path), `${stem}-${stamp}${extension}`);
  }

  #parts(): { stem: string; extension: string } {
    const extension = extname(this.#path);
    return { stem: basename(this.#path, extension), extension };
  }

  /** Never rejects. */
  async #tidy(): Promise<void> {
    this.#isTidying = true;
    try {
      const folder = dirname(this.#path);
      const backups = (await readdir(folder))
        .filter((name) => this.#isBackup(name))
        .sort()
        .reverse();
      const { maxAge, maxBackups, compress } = this.#settings;
      for (const [i, name] of backups.entries()) {
        const path = join(folder, name);
        const isOld = maxAge > 0 && Date.now() - (statSync(path).mtimeMs || 0) > maxAge;
        if (isOld || (maxBackups > 0 && i >= maxBackups)) await rm(path, { force: true });
        else if (compress && !name.endsWith('.gz')) await compressFile(path);
      }
    } catch {
      // Removed by somebody else, or no room: the next rotation tries again.
    } finally {
      this.#isTidying = false;
    }
  }

  #isBackup(name: string): boolean {
    const { stem, extension } = this.#parts();
    if (!name.startsWith(`${stem}-`)) return false;
    const rest = name.slice(stem.length + 1).replace(/\.gz$/, '');
    return (
      rest.endsWith(extension) &&
      /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/.test(rest.slice(0, rest.length - extension.length))
    );
  }
}

/** A directory is made by one process alone. */
function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const made = statSync(lock, { throwIfNoEntry: false });
    if (made !== undefined && Date.now() - made.mtimeMs > lockLife) rmdirSync(lock);
    return false;
  }
}

/** Late lines of other processes may still come for a moment: it begins when they have looked. */
async function compressFile(path: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2 * lookEvery).unref());
  const { createGzip } = await import('node:zlib');
  // Another process may be at the same file, and be done first: nobody writes into what another one is writing.
  const half = `${path}.gz.${randomBytes(6).toString('hex')}.part`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(half, { flags: 'wx' }));
    await rename(half, `${path}.gz`);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
  await rm(path, { force: true });
}
