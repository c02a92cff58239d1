// What stands at the end of a route: something that sees an Exchange to its end.

import type { Exchange } from '../exchange.ts';

export interface Service {
  readonly name: string;
  /** Must end the Exchange, now or later, through `respond.ts`. */
  handle(x: Exchange): void;
  /** From the primary's health checks; nothing where this service does not have that server. */
  setServerUp(url: string, up: boolean): void;
  /** Whether it can answer: one of its servers is up, or one of the services it is made of. */
  isUp(): boolean;
  /** Whether it can go on with sessions it has, though it may not be up; as `isUp` unless it says so. */
  keepsSessions?(): boolean;
  /** A server gets nothing new from now on, or does again; nothing where this service does not have it. */
  setDraining?(url: string, isDraining: boolean): void;
}
