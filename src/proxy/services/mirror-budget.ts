// How much mirroring one worker bears, over all services: mirrors are the first thing it can do without.

/** Mirrored requests under way. */
const maxMirrors = 256;
/** Request bodies kept for mirrors, bytes. */
const maxKeptBytes = 64 * 1024 * 1024;

export interface MirrorBounds {
  readonly mirrors: number;
  readonly bytes: number;
}

/** Shared by all mirroring services of a worker, and over reloads. */
export class MirrorBudget {
  readonly #bounds: MirrorBounds;
  #mirrors = 0;
  #bytes = 0;

  constructor(bounds: MirrorBounds = { mirrors: maxMirrors, bytes: maxKeptBytes }) {
    this.#bounds = bounds;
  }

  get mirrors(): number {
    return this.#mirrors;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False: no room, nothing is taken. */
  takeBytes(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bounds.bytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes;
  }

  takeMirror(): boolean {
    if (this.#mirrors >= this.#bounds.mirrors) return false;
    this.#mirrors++;
    return true;
  }

  giveMirror(): void {
    this.#mirrors--;
  }

  /** Those under way give back what they have; nothing to close. */
  close(): void {}
}
