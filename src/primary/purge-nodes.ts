// Purges over all nodes: what is purged here is told to the others through Redis, and what they purge is purged here.
// A node that was cut off from Redis cannot know what it missed: back again, it forgets everything.

import { randomBytes } from 'node:crypto';
import type { PurgeSelector } from '../model/ipc.ts';
import type { Log } from '../observability/log.ts';
import { openSelector, readObject, sealSelector, selectorOf } from '../state/purge-text.ts';
import type { RedisConnection } from '../state/redis/connect.ts';
import type { RedisScript } from '../state/redis/script.ts';
import type { Sealing } from '../state/sealing.ts';
import type { Purge } from './purge.ts';
import { PurgeCount } from './purge-count.ts';
import type { RedisLink } from './redis-link.ts';

export interface NodePurges {
  /** Rejects when a worker here did not confirm, or when the other nodes may not have heard. */
  readonly purge: Purge;
  close(): void;
}

export interface NodePurgesOptions {
  /** Stays open. Null: without Redis. */
  readonly redis: RedisLink | null;
  /** Null: other nodes can be told only to forget everything. */
  readonly secret: string | null;
  /** In the workers of this node. */
  readonly local: Purge;
  readonly log: Log;
}

/** Milliseconds for Redis to take note of a purge. */
const noteTimeout = 1000;
/** Purges of other nodes that are carried out at a time. */
const maxAtOnce = 16;
/** That wait; if more come, everything is forgotten instead. */
const maxWaiting = 256;
/** Purges that readers of shared decisions can be told about; of older ones they know that there were some. */
const notedPurges = 256;

export function createNodePurges(options: NodePurgesOptions): NodePurges {
  if (options.redis === null) return { purge: options.local, close: () => {} };
  return new RedisPurges(options, options.redis);
}

/** Loaded only where there is a Redis. */
interface Modules {
  readonly notePurge: RedisScript;
  readonly readEpoch: RedisScript;
  readonly purgeKeys: typeof import('../state/redis/decisions.ts').purgeKeys;
}

interface Link {
  readonly connection: RedisConnection;
  readonly modules: Modules;
  readonly sealing: Sealing | null;
  readonly channel: string;
}

class RedisPurges implements NodePurges {
  readonly purge: Purge = (selector) => this.#purgeAll(selector);
  readonly #options: NodePurgesOptions;
  /** Tells own messages from those of others. */
  readonly #node = randomBytes(9).toString('base64url');
  readonly #link: Promise<Link>;
  readonly #count = new PurgeCount(() => void this.#link.then((link) => this.#catchUp(link)));
  #running = 0;
  #waiting: PurgeSelector[] = [];
  /** It was never connected. */
  #isNew = true;
  #isClosed = false;

  constructor(options: NodePurgesOptions, redis: RedisLink) {
    this.#options = options;
    this.#link = this.#connect(redis);
    this.#link.catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#count.close();
    this.#link.then(
      ({ connection, channel }) => connection.unsubscribe(channel),
      () => {},
    );
  }

  async #connect(redis: RedisLink): Promise<Link> {
    const [connection, { notePurge, readEpoch }, { purgeKeys }, sealing] = await Promise.all([
      redis.open(),
      import('../state/redis/decision-scripts.ts'),
      import('../state/redis/decisions.ts'),
      import('../state/sealing.ts'),
    ]);
    const { secret } = this.#options;
    const link: Link = {
      connection,
      modules: { notePurge, readEpoch, purgeKeys },
      sealing: secret === null ? null : new sealing.Sealing(secret),
      channel: `${connection.keyPrefix}:purge`,
    };
    if (this.#isClosed) return link;
    connection.subscribe(link.channel, {
      message: (text) => void this.#heard(link, text),
      resumed: () => void this.#catchUp(link),
    });
    return link;
  }

  /** Other nodes first: from then on no worker here takes anything old out of Redis any more. */
  async #purgeAll(selector: PurgeSelector): Promise<number> {
    let told: unknown = null;
    try {
      await this.#note(await this.#link, selector, true);
    } catch (error) {
      told = error;
    }
    const purged = await this.#options.local(selector);
    if (told === null) return purged;
    const reason = told instanceof Error ? told.message : 'unknown';
    throw new Error(`purged on this node only, the others may not have heard: ${reason}`);
  }

  /** Counts the purge, so that nodes that are away learn that there was one. */
  async #note(link: Link, selector: PurgeSelector, isNews: boolean): Promise<void> {
    const { connection, modules, sealing, channel } = link;
    const sealed = sealing === null ? '' : sealSelector(selector, sealing);
    // In the open a message would show tokens and users to whoever reads Redis.
    const news = sealing === null ? '"by":"all"' : `"sealed":"${sealed}"`;
    const what = isNews ? news : '"noted":true';
    const { epoch, purges } = modules.purgeKeys(connection.keyPrefix);
    const args = [sealed, notedPurges, channel, `"from":"${this.#node}",${what}}`];
    this.#count.heard(Number(await connection.run(modules.notePurge, [epoch, purges], args, noteTimeout)));
  }

  async #heard(link: Link, text: string): Promise<void> {
    const message = readObject(text);
    if (message === null) {
      this.#options.log.warn('a purge on the channel of Redis cannot be read: nothing is forgotten for it');
      return;
    }
    if (message['from'] === this.#node) return;
    if (typeof message['epoch'] === 'number') this.#count.heard(message['epoch']);
    if (message['noted'] === true) return;
    const selector = this.#selectorOf(link, message);
    if (message['epoch'] === undefined) {
      // Somebody beside the gateways: nodes that are away, and what is shared, must learn of it, too.
      await this.#note(link, selector, false).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#options.log.warn({ reason }, 'a purge could not be noted in Redis: it holds on this node');
      });
    }
    this.#enqueue(selector);
  }

  /** What cannot be read is taken for the most it could mean. */
  #selectorOf({ sealing }: Link, message: Readonly<Record<string, unknown>>): PurgeSelector {
    const { sealed } = message;
    if (typeof sealed === 'string')
      return (sealing === null ? null : openSelector(sealed, sealing)) ?? { by: 'all' };
    return selectorOf(message) ?? { by: 'all' };
  }

  async #catchUp({ connection, modules }: Link): Promise<void> {
    let now: number | null = null;
    try {
      const { epoch } = modules.purgeKeys(connection.keyPrefix);
      await connection.whenReachable(noteTimeout);
      const read = Number(await connection.run(modules.readEpoch, [epoch], [], noteTimeout));
      now = Number.isSafeInteger(read) ? read : null;
    } catch {}
    const isFirst = this.#isNew;
    this.#isNew = false;
    if (this.#count.startAt(now)) return;
    // What was cached before the first time is forgotten, too, but that is nothing to tell anybody.
    if (!isFirst)
      this.#options.log.info('purges of other nodes may have been missed: all auth decisions are forgotten');
    this.#enqueue({ by: 'all' });
  }

  #enqueue(selector: PurgeSelector): void {
    if (this.#waiting.length >= maxWaiting) this.#waiting = [{ by: 'all' }];
    else this.#waiting.push(selector);
    this.#next();
  }

  #next(): void {
    if (this.#isClosed || this.#running >= maxAtOnce) return;
    const selector = this.#waiting.shift();
    if (selector === undefined) return;
    this.#running += 1;
    this.#options
      .local(selector)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#options.log.error({ reason }, 'a purge of another node was not confirmed by all workers');
      })
      .finally(() => {
        this.#running -= 1;
        this.#next();
      });
    this.#next();
  }
}
