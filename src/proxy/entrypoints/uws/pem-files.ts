// PEM texts as the file names that uWebSockets.js wants, without any file that others could see.

import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateSpec } from '../../../model/tls.ts';

export interface PemFiles {
  readonly cert_file_name: string;
  readonly key_file_name: string;
}

/** Linux's O_TMPFILE with O_DIRECTORY in it; Node has no name for it. */
const unnamed = 0o20200000;
/** In memory: a key that was given by other means than a file is written to no disk. */
const memoryFolder = '/dev/shm';

/** Calls `use` with files that are gone when this returns. Throws what it throws, and where nothing can be written. */
export function withPemFiles<T>({ cert, key }: CertificateSpec, use: (files: PemFiles) => T): T {
  const opened: number[] = [];
  let folder: string | null = null;
  const nameOf = (text: string): string => {
    const fd = openUnnamed();
    if (fd !== null) {
      opened.push(fd);
      writeWhole(fd, text);
      return `/proc/self/fd/${fd}`;
    }
    // Only this user can look into it.
    folder ??= mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
    const path = join(folder, String(opened.length));
    const named = openSync(path, 'wx', 0o600);
    opened.push(named);
    writeWhole(named, text);
    return path;
  };
  try {
    return use({ cert_file_name: nameOf(cert), key_file_name: nameOf(key) });
  } finally {
    for (const fd of opened) closeSync(fd);
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

function openUnnamed(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    return openSync(memoryFolder, constants.O_RDWR | unnamed, 0o600);
  } catch {
    return null;
  }
}

function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
