// Who has logged in, and the verifying of those who have not: once for each pair of name and password, however
// many requests come with it.

import { LRUCache } from 'lru-cache';
import { SecretKey } from '../secret-key.ts';
import type { Credentials } from './credentials.ts';
import { verifier } from './verifier.ts';

/** Pairs remembered by one worker, in bytes of name about a megabyte. */
const maxRemembered = 10_000;
/** Milliseconds a pair is remembered without being used. What it was checked against cannot change meanwhile. */
const rememberedFor = 5 * 60_000;

export class Logins {
  readonly #users: ReadonlyMap<string, string>;
  readonly #hashes: readonly string[];
  readonly #secret: SecretKey;
  /** Name by keyed digest of the credentials. Only right ones: strangers cannot fill it. */
  readonly #right = new LRUCache<string, string>({
    max: maxRemembered,
    ttl: rememberedFor,
    ttlResolution: 1_000,
    updateAgeOnGet: true,
  });
  /** Under way, by the same digest: bounded by the verifier's queue. */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(users: ReadonlyMap<string, string>, secret: string) {
    this.#users = users;
    this.#hashes = [...users.values()];
    this.#secret = new SecretKey(secret);
  }

  /** Of the header as it was written: nothing of it can be told from the key. */
  keyOf(written: string): string {
    return this.#secret.of(written);
  }

  /** The name, when these credentials were found right a short time ago. */
  find(key: string): string | null {
    return this.#right.get(key) ?? null;
  }

  /** Null: too many wait already. Rejects when it cannot be found out. */
  verify(key: string, { name, password }: Credentials): Promise<boolean> | null {
    // Known and unknown names share alike: whether two requests wait for one check tells nothing.
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const hash = this.#users.get(name);
    const work = verifier.verify(password, hash ?? this.#standIn(name));
    if (work === null) return null;
    const settled = work.then(
      (isRight) => {
        this.#running.delete(key);
        if (!isRight || hash === undefined) return false;
        this.#right.set(key, name);
        return true;
      },
      (error: unknown) => {
        this.#running.delete(key);
        throw error;
      },
    );
    this.#running.set(key, settled);
    return settled;
  }

  close(): void {
    this.#right.clear();
  }

  /** For a name that is none: some user's hash, always the same one, so that it takes as long as a user would. */
  #standIn(name: string): string {
    const digest = this.#secret.of(`stand-in ${name}`);
    const number = digest.charCodeAt(0) * 65_536 + digest.charCodeAt(1) * 256 + digest.charCodeAt(2);
    return this.#hashes[number % this.#hashes.length] as string;
  }
}
