// Accounts and certificates of one resolver in `acme.json`, failed tries in a file beside it.

import { open } from 'node:fs/promises';
import type { Challenge } from '../../model/acme.ts';
import { challengeName } from './challenge.ts';
import { accountIn, certificatesIn, withAccount, withCertificate } from './file-format.ts';
import { openShared, readAtOnce, type SharedFile } from './shared-file.ts';
import type { AcmeStorage, Attempt, Lease, ResolverState } from './storage.ts';
import { replaceFile } from './write-file.ts';

/** Milliseconds after which a challenge is forgotten. */
const challengeLife = 600_000;
const maxChallenges = 10_000;
/** Failed tries remembered of one resolver; the oldest go first. */
const maxAttempts = 10_000;
/** Bytes. */
const maxAttemptsFile = 32 * 1024 * 1024;

/** Rejects when the file cannot be used; it is left as it is. */
export async function openFileStorage(path: string, resolver: string): Promise<AcmeStorage> {
  const file = await openShared(path);
  const storage = new FileStorage(file, resolver);
  try {
    await storage.load();
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

let lastFence = 0;

class FileStorage implements AcmeStorage {
  readonly #file: SharedFile;
  readonly #resolver: string;
  readonly #own = new Set<() => void>();
  #closed = false;

  constructor(file: SharedFile, resolver: string) {
    this.#file = file;
    this.#resolver = resolver;
  }

  async load(): Promise<ResolverState> {
    const file = await this.#file.read();
    const attempts = await this.#file.beside(() => this.#readAttempts());
    return {
      account: accountIn(file, this.#resolver),
      certificates: certificatesIn(file, this.#resolver),
      attempts: attempts[this.#resolver] ?? [],
    };
  }

  async saveAccount(account: Parameters<AcmeStorage['saveAccount']>[0], _lease: Lease): Promise<void> {
    await this.#file.change((file) => withAccount(file, this.#resolver, account));
    this.#tellOthers();
  }

  async saveCertificate(
    certificate: Parameters<AcmeStorage['saveCertificate']>[0],
    _lease: Lease,
  ): Promise<void> {
    await this.#file.change((file) => withCertificate(file, this.#resolver, certificate));
    this.#tellOthers();
  }

  async saveAttempt(attempt: Attempt, _lease: Lease): Promise<void> {
    await this.#file.beside(async () => {
      const all = await this.#readAttempts();
      const before = all[this.#resolver] ?? [];
      const others = before.filter(({ names }) => names !== attempt.names);
      if (attempt.failures === 0 && others.length === before.length) return;
      const next = attempt.failures === 0 ? others : [...others, attempt].slice(-maxAttempts);
      await replaceFile(
        this.#attemptsPath,
        `${JSON.stringify({ ...all, [this.#resolver]: next }, null, 2)}\n`,
      );
    });
  }

  async withLease<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T | null> {
    const name = `${this.#resolver}\n${what}`;
    const { leases } = this.#file;
    if (leases.has(name)) return null;
    leases.add(name);
    lastFence += 1;
    try {
      // Within one process nobody can take it away.
      return await work({ fence: lastFence, signal: new AbortController().signal });
    } finally {
      leases.delete(name);
    }
  }

  async offer(challenge: Challenge): Promise<void> {
    const { challenges } = this.#file;
    this.#forgetOld();
    if (challenges.size >= maxChallenges) throw new Error(`more than ${maxChallenges} challenges at once`);
    challenges.set(challengeName(challenge), { challenge, until: Date.now() + challengeLife });
    this.#tellOthers();
  }

  async withdraw(challenge: Challenge): Promise<void> {
    this.#file.challenges.delete(challengeName(challenge));
    this.#tellOthers();
  }

  async find(token: string): Promise<string | null> {
    for (const { challenge } of this.#valid()) {
      if (challenge.kind === 'http-01' && challenge.token === token) return challenge.keyAuthorization;
    }
    return null;
  }

  async offered(): Promise<readonly Challenge[]> {
    return this.#valid().map(({ challenge }) => challenge);
  }

  onChange(listener: () => void): void {
    this.#own.add(listener);
    this.#file.listeners.add(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#own) this.#file.listeners.delete(listener);
    this.#file.release();
  }

  get #attemptsPath(): string {
    return `${this.#file.path}.attempts.json`;
  }

  #valid(): { readonly challenge: Challenge; readonly until: number }[] {
    this.#forgetOld();
    return [...this.#file.challenges.values()];
  }

  #forgetOld(): void {
    const now = Date.now();
    for (const [name, { until }] of this.#file.challenges)
      if (until <= now) this.#file.challenges.delete(name);
  }

  #tellOthers(): void {
    for (const listener of this.#file.listeners) if (!this.#own.has(listener)) listener();
  }

  /** What cannot be read is as if it were not there: a back-off that is lost is no harm. */
  async #readAttempts(): Promise<Record<string, readonly Attempt[]>> {
    const handle = await open(this.#attemptsPath, readAtOnce).catch(() => null);
    if (handle === null) return {};
    try {
      const stat = await handle.stat();
      if (!stat.isFile() || stat.size > maxAttemptsFile) return {};
      return attemptsOf(JSON.parse(await handle.readFile('utf8')));
    } catch {
      return {};
    } finally {
      await handle.close();
    }
  }
}

function attemptsOf(value: unknown): Record<string, readonly Attempt[]> {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).map(
    ([resolver, list]) => [resolver, Array.isArray(list) ? list.filter(isAttempt) : []] as const,
  );
  return Object.fromEntries(entries);
}

function isAttempt(value: unknown): value is Attempt {
  const { names, failures, nextTry, lastError } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof names === 'string' &&
    Number.isSafeInteger(failures) &&
    Number.isFinite(nextTry) &&
    typeof lastError === 'string' &&
    lastError.length <= 1000
  );
}
