// ACME's storage in Redis: account, certificates, attempts, challenges and leases that several nodes share.

import type { Challenge, ResolverSettings } from '../../model/acme.ts';
import type { Log } from '../../observability/log.ts';
import type { RedisArgument, RedisConnection } from '../../state/redis/connect.ts';
import type { RedisScript } from '../../state/redis/script.ts';
import { RedisCalls } from './storage-redis-calls.ts';
import { RedisChallenges } from './storage-redis-challenges.ts';
import {
  certificateField,
  entryText,
  maxEntry,
  readAccount,
  readAttempt,
  readCertificate,
  short,
} from './storage-redis-entries.ts';
import { readAcmeFile } from './storage-redis-import.ts';
import { type LeaseCalls, RedisLease, workUnderLease } from './storage-redis-lease.ts';
import * as scripts from './storage-redis-scripts.ts';
import { FencedOff } from './storage.ts';
import type {
  AcmeStorage,
  Attempt,
  Lease,
  ResolverState,
  StoredAccount,
  StoredCertificate,
} from './storage.ts';

export interface RedisStorageOptions {
  /** What there is when Redis has nothing for the resolver yet; what its `acme.json` holds, unless given. */
  readonly importState?: () => Promise<ResolverState | null>;
  /** Milliseconds a lease lasts that is not renewed; 30,000 unless given. */
  readonly leaseTtl?: number;
}

/** Milliseconds for taking a whole file over. */
const takeOverTimeout = 10_000;
/** Milliseconds a fence is remembered: longer than any holder could be stopped and still go on. */
const fenceTtl = 90 * 24 * 3_600_000;
/** Milliseconds in which several messages become one call of the listeners. */
const gather = 50;
const maxCertificates = 2000;
const maxAttempts = 2000;
/** Entries read in one step, so that Redis is never held up for long. */
const pageSize = 50;

/** Resolves at once, whether or not Redis can be reached; `connection` stays open when the storage is closed. */
export async function openRedisStorage(
  connection: RedisConnection,
  resolver: ResolverSettings,
  log: Log,
  options: RedisStorageOptions = {},
): Promise<AcmeStorage> {
  return new RedisStorage(connection, resolver, log, options);
}

class RedisStorage implements AcmeStorage {
  readonly #connection: RedisConnection;
  readonly #calls: RedisCalls;
  readonly #challenges: RedisChallenges;
  readonly #resolver: string;
  readonly #log: Log;
  readonly #importState: () => Promise<ResolverState | null>;
  readonly #leaseTtl: number;
  readonly #listeners: (() => void)[] = [];
  readonly #running = new Set<RedisLease>();
  #isTakenOver = false;
  #changed: NodeJS.Timeout | null = null;

  constructor(
    connection: RedisConnection,
    resolver: ResolverSettings,
    log: Log,
    { importState, leaseTtl = 30_000 }: RedisStorageOptions,
  ) {
    this.#connection = connection;
    this.#calls = new RedisCalls(connection, resolver.name);
    this.#challenges = new RedisChallenges(this.#calls);
    this.#resolver = resolver.name;
    this.#log = log;
    this.#importState = importState ?? (async () => await readAcmeFile(resolver.storage, resolver.name));
    this.#leaseTtl = leaseTtl;
    connection.subscribe(this.#calls.channel, {
      message: (writer) => {
        if (writer !== this.#calls.node) this.#tell();
      },
      resumed: () => this.#tell(),
    });
  }

  async load(): Promise<ResolverState> {
    if (!this.#isTakenOver) await this.#takeOver();
    const account = await this.#calls.call('GETRANGE', [this.#calls.key('account'), 0, maxEntry]);
    const certificates = await this.#entries('certificates', maxCertificates, readCertificate);
    const attempts = await this.#entries('attempts', maxAttempts, readAttempt);
    const read = typeof account === 'string' && account !== '' ? readAccount(account) : null;
    if (typeof account === 'string' && account !== '' && read === null)
      this.#leftOut('account', 'it cannot be read');
    return { account: read, certificates, attempts };
  }

  async saveAccount(account: StoredAccount, lease: Lease): Promise<void> {
    await this.#save(scripts.writeAccount, lease, ['account'], [entryText(account, 'the account')]);
  }

  async saveCertificate(certificate: StoredCertificate, lease: Lease): Promise<void> {
    const args = [certificateField(certificate), certificateText(certificate), maxCertificates];
    await this.#save(scripts.writeCertificate, lease, ['certificates'], args);
  }

  async saveAttempt(attempt: Attempt, lease: Lease): Promise<void> {
    const { names, failures, nextTry, lastError } = attempt;
    const kept = { names, failures, nextTry, lastError: lastError.slice(0, 1000) };
    const text = failures === 0 ? '' : entryText(kept, 'an attempt');
    const args = [short(names), text, Math.round(nextTry), maxAttempts];
    await this.#save(scripts.writeAttempt, lease, ['attempts', 'attempt-times'], args);
  }

  async withLease<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T | null> {
    const ttl = this.#leaseTtl;
    const lease = this.#calls.key(`lease:${short(what)}`);
    const fenceKey = this.#calls.key(`fence:${short(what)}`);
    const calls: LeaseCalls = {
      grant: async (holder) =>
        Number(await this.#calls.run(scripts.grantLease, [lease, fenceKey], [holder, ttl, fenceTtl])),
      renew: async (holder) => (await this.#calls.run(scripts.renewLease, [lease], [holder, ttl])) === 1,
      release: async (holder) => void (await this.#calls.run(scripts.releaseLease, [lease], [holder])),
    };
    return await workUnderLease({ calls, fenceKey, ttl, running: this.#running }, work);
  }

  async offer(challenge: Challenge): Promise<void> {
    await this.#challenges.offer(challenge);
  }

  async withdraw(challenge: Challenge): Promise<void> {
    await this.#challenges.withdraw(challenge);
  }

  async find(token: string): Promise<string | null> {
    return await this.#challenges.find(token);
  }

  async offered(): Promise<readonly Challenge[]> {
    return await this.#challenges.offered();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    if (this.#changed !== null) clearTimeout(this.#changed);
    this.#connection.unsubscribe(this.#calls.channel);
    for (const lease of this.#running) lease.lose();
  }

  /** All nodes may do it at once: the first one's counts. */
  async #takeOver(): Promise<void> {
    const keys = [this.#calls.key('account'), this.#calls.key('certificates')];
    if (Number(await this.#calls.call('EXISTS', keys)) === 0) {
      const state = await this.#importState();
      if (state !== null && (state.account !== null || state.certificates.length > 0))
        await this.#put(state, keys);
    }
    this.#isTakenOver = true;
  }

  async #put(state: ResolverState, keys: readonly string[]): Promise<void> {
    const args = [state.account === null ? '' : entryText(state.account, 'the account')];
    for (const certificate of state.certificates.slice(0, maxCertificates)) {
      try {
        args.push(certificateField(certificate), certificateText(certificate));
      } catch {
        this.#leftOut('certificates', 'it is larger than 64 KiB');
      }
    }
    if ((await this.#calls.run(scripts.takeOver, keys, args, takeOverTimeout)) !== 1) return;
    this.#log.info(
      { resolver: this.#resolver, certificates: (args.length - 1) / 2 },
      'Account and certificates of the resolver’s file were put into Redis',
    );
  }

  async #entries<T>(name: string, most: number, read: (text: string) => T | null): Promise<T[]> {
    // A scan may give a field twice.
    const found = new Map<string, T>();
    const key = this.#calls.key(name);
    let cursor = '0';
    do {
      const page = (await this.#calls.call('HSCAN', [key, cursor, 'COUNT', pageSize])) as [string, string[]];
      cursor = String(page[0]);
      const pairs = page[1];
      for (let i = 0; i + 1 < pairs.length && found.size < most; i += 2) {
        const entry = read(pairs[i + 1] as string);
        if (entry === null) this.#leftOut(name, 'it cannot be read');
        else found.set(pairs[i] as string, entry);
      }
    } while (cursor !== '0' && found.size < most);
    return [...found.values()];
  }

  async #save(
    script: RedisScript,
    lease: Lease,
    names: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<void> {
    if (!(lease instanceof RedisLease)) throw new FencedOff('the lease is of another storage');
    const { channel, node } = this.#calls;
    const keys = [lease.fenceKey, ...names.map((name) => this.#calls.key(name))];
    const answer = await this.#calls.run(script, keys, [lease.fence, fenceTtl, channel, node, ...args]);
    if (answer === 'fenced') throw new FencedOff('another node has taken over');
    if (answer !== 'ok')
      throw new Error(`Redis holds as many certificates as are allowed: ${maxCertificates}`);
  }

  #tell(): void {
    this.#changed ??= setTimeout(() => {
      this.#changed = null;
      for (const listener of this.#listeners) listener();
    }, gather);
  }

  #leftOut(entry: string, reason: string): void {
    this.#log.warn({ resolver: this.#resolver, entry, reason }, 'An entry of the ACME storage is left out');
  }
}

/** Throws when it is larger than 64 KiB. */
function certificateText({ main, sans, cert, key }: StoredCertificate): string {
  return entryText({ main, sans, cert, key }, 'a certificate');
}
