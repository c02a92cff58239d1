// Headers that a middleware alone sets for the server: cleared of what the client sent, in every spelling.

import { foldName, type HeaderList } from '../headers.ts';

export class OwnHeaders {
  readonly #folded: ReadonlySet<string>;
  /** 1 at the length of some name: most request headers need no folding. */
  readonly #lengths = new Uint8Array(256);

  constructor(names: readonly string[]) {
    this.#folded = new Set(names.map(foldName));
    for (const name of this.#folded) this.#lengths[Math.min(name.length, 255)] = 1;
  }

  /** In place. */
  clear(headers: HeaderList): void {
    if (this.#folded.size === 0) return;
    let to = 0;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      if (this.#lengths[Math.min(name.length, 255)] === 1 && this.#owns(name)) continue;
      if (to !== i) {
        headers[to] = name;
        headers[to + 1] = headers[i + 1] as string;
      }
      to += 2;
    }
    headers.length = to;
  }

  /** Most names are their own folded spelling, which need not be made. */
  #owns(name: string): boolean {
    return this.#folded.has(name) || (/[^a-z0-9-]/.test(name) && this.#folded.has(foldName(name)));
  }
}

/** `headerField` of options that may be broken, as a list. */
export function headerFieldOf(options: unknown): readonly string[] {
  const field = (options as { readonly headerField?: unknown } | null)?.headerField;
  return typeof field === 'string' && field !== '' ? [field] : [];
}
