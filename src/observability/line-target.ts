// Where log lines go: a file opened for appending, or standard output, which may be a pipe.

import cluster from 'node:cluster';
import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** POSIX writes no more than this in one piece to a pipe that several processes share (PIPE_BUF of Linux). */
const pipeBytes = 4096;

/** Names the descriptor of a worker that is the primary's standard output; see `primary/fork.ts`. */
export const outputVariable = 'PORTCULLIS_OUTPUT_DESCRIPTOR';

/** The descriptor log lines go to that are in no file. */
export function standardOutput(): number {
  return cluster.isWorker ? Number(process.env[outputVariable] ?? 1) : 1;
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

let owner: FileOwner | null = null;

/** Files that this process makes from now on belong to its workers, who are another user and append to them, too. */
export function giveFilesTo(user: FileOwner): void {
  owner = user;
}

/** Appending, so that every worker may write to the same file. Makes directories; throws when it cannot. */
export function openTarget(filePath: string | null, mode: number): number {
  if (filePath === null) return standardOutput();
  mkdirSync(dirname(filePath), { recursive: true, mode: 0o755 });
  return owner === null ? openSync(filePath, 'a', mode) : openShared(filePath, mode, owner);
}

/**
 * The other user may own the folder, and this process be root: a link or a pipe put in the file's place must not make
 * it write to, or give away, a file of its own.
 */
function openShared(filePath: string, mode: number, { uid, gid }: FileOwner): number {
  const append = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(filePath, append | constants.O_CREAT | constants.O_EXCL, mode);
    fchownSync(fd, uid, gid);
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  fd = openSync(filePath, append);
  const { nlink } = fstatSync(fd);
  if (nlink === 1) return fd;
  closeSync(fd);
  throw new Error(`${filePath} has ${nlink} names: it may be another file`);
}

/** A pipe, socket or terminal: unlike a file, it may take a long write in pieces, with others' in between. */
export function isStream(fd: number): boolean {
  try {
    return !fstatSync(fd).isFile();
  } catch {
    return true;
  }
}

/** Bytes from `from` on that fill one piece with whole lines; a longer line goes alone. */
export function wholeLines(buffer: Buffer, from: number): number {
  if (buffer.length - from <= pipeBytes) return buffer.length - from;
  const last = buffer.lastIndexOf(0x0a, from + pipeBytes - 1);
  const end = last >= from ? last : buffer.indexOf(0x0a, from);
  return (end === -1 ? buffer.length : end + 1) - from;
}
