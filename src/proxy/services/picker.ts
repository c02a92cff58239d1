// What chooses among servers, or among the services another one is made of.

import type { Exchange } from '../exchange.ts';

/** Something that can be chosen. */
export interface Choice {
  /** Stands for it in hashes and cookies: a server's URL, a service's name as it was written. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
  /** It may be given something new. */
  readonly up: boolean;
  /** It may go on with what it has: as `up`, but while it drains, too. */
  readonly keeps: boolean;
}

export interface Picker<T extends Choice> {
  /** Null when none is up. */
  pick(x: Exchange): T | null;
  /** One that is up beside `failed`, or null. */
  pickOther(x: Exchange, failed: T): T | null;
}
