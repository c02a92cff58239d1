// The one connection of a process to Redis: one server, a master that sentinels name, or a cluster.

import type { Cluster, Redis } from 'ioredis';
import type { RedisSettings } from '../../model/redis.ts';
import { redisBudget } from '../state.ts';
import { unreachable } from './errors.ts';
import { clusterOptions, pauseBefore, singleOptions } from './options.ts';
import { Reachability, type RedisLog } from './reachability.ts';
import type { RedisScript } from './script.ts';
import { Subscriber, type Subscription } from './subscriber.ts';
import { Answers, Arrival } from './waiting.ts';

export type RedisArgument = string | number;

/**
 * Every method rejects with `RedisUnreachable` when Redis cannot be reached or does not answer in time (what was
 * asked may still happen then), and with `RedisRefused` when it answers with an error.
 */
export interface RedisConnection {
  /** Begins every key and channel. */
  readonly keyPrefix: string;
  readonly isReachable: boolean;
  /** At once when it is; rejects after `timeout` milliseconds. */
  whenReachable(timeout: number): Promise<void>;
  /** `timeout` in milliseconds; 50 unless given. Nothing is queued: while Redis is away it rejects at once. */
  call(command: string, args: readonly RedisArgument[], timeout?: number): Promise<unknown>;
  /** The keys must share a hash tag. */
  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    timeout?: number,
  ): Promise<unknown>;
  /** One subscription a channel. */
  subscribe(channel: string, subscription: Subscription): void;
  unsubscribe(channel: string): void;
  /** At once, whatever Redis does; what still waits rejects. */
  close(): void;
}

/** Returns at once; it connects, and reconnects, by itself. */
export function connectRedis(settings: RedisSettings, log: RedisLog): RedisConnection {
  return new Connection(settings, log);
}

type Library = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;

class Connection implements RedisConnection {
  readonly keyPrefix: string;
  readonly #settings: RedisSettings;
  readonly #reachability: Reachability;
  #library: Library | null = null;
  #client: Redis | Cluster | null = null;
  #subscriber: Subscriber | null = null;
  /** Those that came before the library was there. */
  readonly #early = new Map<string, Subscription>();
  readonly #arrival = new Arrival();
  readonly #answers: Answers;
  #ends = 0;
  #restart: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(settings: RedisSettings, log: RedisLog) {
    this.keyPrefix = settings.keyPrefix;
    this.#settings = settings;
    this.#reachability = new Reachability(settings, log);
    this.#answers = new Answers(settings.password);
    void this.#load();
  }

  get isReachable(): boolean {
    return this.#client?.status === 'ready';
  }

  whenReachable(timeout: number): Promise<void> {
    if (this.isReachable) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(unreachable());
    return this.#arrival.wait(timeout);
  }

  async call(
    command: string,
    args: readonly RedisArgument[],
    timeout: number = redisBudget,
  ): Promise<unknown> {
    const client = this.#ready();
    return await this.#answers.await(client.call(command, ...args), timeout);
  }

  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    timeout: number = redisBudget,
  ): Promise<unknown> {
    const client = this.#ready();
    return await this.#answers.await(runScript(client, script, [keys.length, ...keys, ...args]), timeout);
  }

  subscribe(channel: string, subscription: Subscription): void {
    if (this.#isClosed) return;
    if (this.#library === null) this.#early.set(channel, subscription);
    else this.#messages(this.#library).add(channel, subscription);
  }

  unsubscribe(channel: string): void {
    this.#early.delete(channel);
    this.#subscriber?.remove(channel);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#subscriber?.close();
    this.#client?.disconnect();
    this.#arrival.never();
  }

  /** The library costs megabytes: only a gateway that uses Redis loads it. */
  async #load(): Promise<void> {
    const library = await import('ioredis');
    if (this.#isClosed) return;
    this.#library = library;
    this.#connect(library);
    for (const [channel, subscription] of this.#early) this.#messages(library).add(channel, subscription);
    this.#early.clear();
  }

  #connect(library: Library): void {
    const settings = this.#settings;
    const client = settings.cluster
      ? new library.Cluster([...settings.endpoints], clusterOptions(settings))
      : new library.Redis(singleOptions(settings, true));
    this.#client = client;
    let cause: unknown = null;
    client.on('error', (error: unknown) => {
      if (this.#isClosed) return;
      const isReply = error instanceof Error && error.name === 'ReplyError';
      // A database that cannot be chosen is an error to the library and no more: it would go on with database 0.
      if (isReply && client.status === 'connect') client.disconnect(true);
      // What follows a refused password; that error comes after.
      if (isReply && settings.password !== null && error.message.startsWith('NOAUTH')) return;
      cause = error;
      this.#reachability.lost(error);
    });
    client.on('close', () => {
      if (!this.#isClosed) this.#reachability.lost(cause ?? new Error('the connection was closed'));
    });
    client.on('ready', () => {
      cause = null;
      this.#ends = 0;
      this.#reachability.reached();
      this.#arrival.now();
    });
    client.on('end', () => this.#ended(library));
  }

  /** A client that gives up, which is not asked of it, is replaced. */
  #ended(library: Library): void {
    if (this.#isClosed || this.#restart !== null) return;
    this.#ends += 1;
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#connect(library);
    }, pauseBefore(this.#ends));
  }

  #messages(library: Library): Subscriber {
    this.#subscriber ??= new Subscriber(() => {
      const options = singleOptions(this.#settings, false);
      return new library.Redis(this.#settings.cluster ? { ...options, ...this.#someNode() } : options);
    });
    return this.#subscriber;
  }

  /** A cluster passes messages on to all of its nodes: any of them will do. */
  #someNode(): { readonly host: string; readonly port: number } {
    const known = this.#client !== null && 'nodes' in this.#client ? this.#client.nodes() : [];
    const nodes = known.flatMap(({ options: { host, port } }) =>
      host === undefined || port === undefined ? [] : [{ host, port }],
    );
    const choice = nodes.length > 0 ? nodes : this.#settings.endpoints;
    return choice[Math.floor(Math.random() * choice.length)] as { host: string; port: number };
  }

  #ready(): Redis | Cluster {
    const client = this.#client;
    if (client === null || client.status !== 'ready') throw unreachable();
    this.#answers.admit();
    return client;
  }
}

async function runScript(
  client: Redis | Cluster,
  script: RedisScript,
  rest: readonly RedisArgument[],
): Promise<unknown> {
  try {
    return await client.call('EVALSHA', script.sha, ...rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await client.call('EVAL', script.lua, ...rest);
  }
}
