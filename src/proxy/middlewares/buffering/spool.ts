// A body kept whole: in memory while it is short, in a file without a name when it is not.

import { type FileHandle, open, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SpoolLimits {
  /** Bytes kept in memory. */
  readonly memBytes: number;
  /** Bytes in all. */
  readonly maxBytes: number;
}

/** `failed`: the disk does not take it. */
export type SpoolEnd = 'whole' | 'too-long' | 'failed';

/** Bytes of all spools of one worker in memory; what comes beyond goes to files early. */
const maxMemoryBytes: number = 256 * 1024 * 1024;
/** Bytes of all spools of one worker in files; what comes beyond fails as on a full disk. */
const maxDiskBytes: number = 16 * 1024 * 1024 * 1024;
/** Bytes on their way to the file before the sender is held back. */
const highWater: number = 512 * 1024;

let memoryBytes = 0;
let diskBytes = 0;

export class Spool {
  /** Bytes so far. */
  length = 0;
  /** Settles once: with the last byte in its place, or early when it cannot be kept. Never rejects. */
  readonly done: Promise<SpoolEnd>;
  /** Called when a sender that was held back may go on. */
  onDrain: (() => void) | null = null;
  readonly #limits: SpoolLimits;
  #chunks: Uint8Array[] = [];
  /** Of `chunks`: what memory they take. */
  #inMemory = 0;
  #onDisk = 0;
  #file: FileHandle | null = null;
  #spills = false;
  #isWriting = false;
  #isHeld = false;
  #isFinished = false;
  #isOver = false;
  #settle!: (end: SpoolEnd) => void;

  constructor(limits: SpoolLimits) {
    this.#limits = limits;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Takes the chunk's memory over. False: hold back until `onDrain`. */
  take(chunk: Uint8Array): boolean {
    if (this.#isOver || chunk.length === 0) return true;
    this.length += chunk.length;
    if (this.length > this.#limits.maxBytes) {
      this.#end('too-long');
      return true;
    }
    this.#chunks.push(chunk);
    this.#inMemory += chunk.length;
    memoryBytes += chunk.length;
    if (this.length > this.#limits.memBytes || memoryBytes > maxMemoryBytes) this.#spills = true;
    if (!this.#spills) return true;
    if (!this.#isWriting) void this.#write();
    this.#isHeld = this.#inMemory >= highWater;
    return !this.#isHeld;
  }

  finish(): void {
    this.#isFinished = true;
    if (!this.#isWriting) this.#end('whole');
  }

  /** The whole body when it is in memory, once; null when it is in the file. */
  bytes(): Uint8Array | null {
    if (this.#file !== null) return null;
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Uint8Array;
  }

  /** Of a body in the file. `into` is filled with memory of its own at each call; less than asked is the end. */
  async read(position: number, bytes: number): Promise<Uint8Array> {
    if (this.#file === null) throw new Error('there is no file');
    const into = Buffer.allocUnsafeSlow(bytes);
    const { bytesRead } = await this.#file.read(into, 0, bytes, position);
    if (bytesRead === 0) throw new Error('the file is shorter than it was');
    return into.subarray(0, bytesRead);
  }

  /** Gives memory and file back; any time, and again. */
  close(): void {
    this.#end('failed');
    this.#forget();
    this.#dropFile();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      this.#file ??= await openNameless();
      while (this.#chunks.length > 0 && !this.#isOver) {
        const batch = Buffer.concat(this.#chunks);
        this.#forget();
        this.#onDisk += batch.length;
        diskBytes += batch.length;
        if (diskBytes > maxDiskBytes) throw new Error('too much is kept on disk');
        await this.#file.writeFile(batch);
        this.#drained();
      }
    } catch {
      this.#end('failed');
    }
    this.#isWriting = false;
    // It may have been given up meanwhile, before there was a file to close.
    if (this.#isOver) this.#dropFile();
    else if (this.#isFinished) this.#end('whole');
  }

  #drained(): void {
    if (!this.#isHeld || this.#inMemory >= highWater) return;
    this.#isHeld = false;
    this.onDrain?.();
  }

  #end(how: SpoolEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settle(how);
    if (how === 'whole') return;
    this.#forget();
    if (!this.#isWriting) this.#dropFile();
  }

  #forget(): void {
    this.#chunks = [];
    memoryBytes -= this.#inMemory;
    this.#inMemory = 0;
  }

  #dropFile(): void {
    diskBytes -= this.#onDisk;
    this.#onDisk = 0;
    const file = this.#file;
    this.#file = null;
    // It waits for what is still being read or written.
    file?.close().catch(() => {});
  }
}

/** Gone from its directory at once: whatever happens to this process, nothing is left behind. */
async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `portcullis-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
