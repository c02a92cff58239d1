// Messages from Redis, over a connection of their own that is replaced for as long as it takes.

import type { Redis } from 'ioredis';
import { pauseBefore } from './options.ts';

export interface Subscription {
  /** A message of another node, or of this one. */
  message(text: string): void;
  /** It is in effect, for the first time or again: what was said until now may have been missed. */
  resumed(): void;
}

/** Channels of one gateway: one a resolver, and a few. */
const maxChannels = 1000;
/** Milliseconds between two signs of life: a connection that only listens would never notice that it is dead. */
const pingEvery = 3000;
const pingTimeout = 1500;

export class Subscriber {
  /** A client that does not reconnect by itself. */
  readonly #open: () => Redis;
  readonly #channels = new Map<string, Subscription>();
  #client: Redis | null = null;
  #isReady = false;
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;
  #pings: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(open: () => Redis) {
    this.#open = open;
  }

  /** One subscription a channel; throws at the second, and beyond 1,000 channels. */
  add(channel: string, subscription: Subscription): void {
    if (this.#channels.has(channel)) throw new Error(`the channel ${channel} is subscribed already`);
    if (this.#channels.size >= maxChannels) throw new Error('too many channels are subscribed');
    this.#channels.set(channel, subscription);
    if (this.#isReady) void this.#subscribe([channel]);
    else if (this.#client === null && this.#pause === null) this.#connect();
  }

  remove(channel: string): void {
    if (this.#channels.delete(channel) && this.#isReady)
      this.#client?.unsubscribe(channel).catch(() => this.#drop());
  }

  close(): void {
    this.#isClosed = true;
    this.#channels.clear();
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#stopPings();
    this.#client?.disconnect();
  }

  #connect(): void {
    this.#pause = null;
    if (this.#isClosed) return;
    const client = this.#open();
    this.#client = client;
    // Whether Redis is reachable is told by the other connection.
    client.on('error', () => {});
    client.on('message', (channel: string, text: string) => this.#channels.get(channel)?.message(text));
    client.on('ready', () => void this.#begin(client));
    client.on('end', () => this.#ended());
  }

  /**
   * An answer to SUBSCRIBE that is none throws where the library lets nobody catch it, and would end the
   * process: who does not know PING is not asked.
   */
  async #begin(client: Redis): Promise<void> {
    const timer = setTimeout(() => client.disconnect(), pingTimeout);
    const isRedis = await client.ping().then(
      (answer: unknown) => answer === 'PONG',
      () => false,
    );
    clearTimeout(timer);
    if (this.#client !== client || this.#isClosed) return;
    if (!isRedis) {
      client.disconnect();
      return;
    }
    this.#isReady = true;
    this.#pings = setInterval(() => void this.#ping(client), pingEvery);
    void this.#subscribe([...this.#channels.keys()]);
  }

  async #subscribe(channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    try {
      await this.#client?.subscribe(...channels);
    } catch {
      this.#drop();
      return;
    }
    this.#failures = 0;
    for (const channel of channels) this.#channels.get(channel)?.resumed();
  }

  async #ping(client: Redis): Promise<void> {
    const timer = setTimeout(() => client.disconnect(), pingTimeout);
    try {
      await client.ping();
    } catch {
      client.disconnect();
    }
    clearTimeout(timer);
  }

  #drop(): void {
    this.#client?.disconnect();
  }

  #ended(): void {
    this.#stopPings();
    this.#isReady = false;
    this.#client = null;
    if (this.#isClosed || this.#pause !== null) return;
    this.#failures += 1;
    this.#pause = setTimeout(() => this.#connect(), pauseBefore(this.#failures));
  }

  #stopPings(): void {
    if (this.#pings !== null) clearInterval(this.#pings);
    this.#pings = null;
  }
}
