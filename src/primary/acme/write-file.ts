// Replaces a file whole, so that no reader and no crash ever sees half of it.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Readable and writable by its owner alone. */
export const secretMode = 0o600;

/** `path` has no symbolic links. Rejects as the file system does; the file is then as it was. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', secretMode);
    try {
      await keepOwner(handle, path);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    if (!isMountPoint(error)) throw error;
    await overwrite(path, text);
  }
}

/** A file that is mounted into a container by itself cannot be renamed over. */
function isMountPoint(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EBUSY' || code === 'EXDEV';
}

/** Not atomic: the best there is for such a file. What was there comes back when the new text finds no room. */
async function overwrite(path: string, text: string): Promise<void> {
  const handle = await open(path, 'r+', secretMode);
  try {
    const before = await handle.readFile();
    try {
      await writeOver(handle, Buffer.from(text));
    } catch (error) {
      await writeOver(handle, before).catch(() => undefined);
      throw error;
    }
  } finally {
    await handle.close();
  }
}

async function writeOver(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, at);
    at += bytesWritten;
  }
  await handle.truncate(bytes.length);
  await handle.sync();
}

/** Root must not take the file away from whom it belongs to. */
async function keepOwner(handle: FileHandle, path: string): Promise<void> {
  const owner = await stat(path).catch(() => null);
  if (owner !== null && owner.uid !== process.geteuid?.()) {
    await handle.chown(owner.uid, owner.gid).catch(() => undefined);
  }
}

/** Without it the rename itself may be lost with the power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r').catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
