// A router, ready to run.

import type { Meter } from '../../observability/meter.ts';
import type { CompiledRule } from '../../rules/compile.ts';
import type { Exchange } from '../exchange.ts';
import type { Hooks, Verdict } from '../hooks.ts';
import type { Service } from '../services/service.ts';
import type { TracedRoute } from '../tracing.ts';

export type RequestHook = (x: Exchange) => Verdict | Promise<Verdict>;
export type ResponseHook = NonNullable<Hooks['response']>;
export type ExchangeHook = (x: Exchange) => void;

export interface Route {
  /** Qualified. */
  readonly name: string;
  readonly rule: CompiledRule;
  readonly priority: bigint;
  readonly service: Service;
  /** How many middlewares there are: `x.depth` once all have passed. */
  readonly depth: number;
  /** One place a middleware; null where it has no such hook, or for all when none has. */
  readonly request: readonly (RequestHook | null)[] | null;
  readonly response: readonly (ResponseHook | null)[] | null;
  readonly end: readonly ExchangeHook[] | null;
  /** Why it answers 503 to all; null for a sound one. */
  readonly broken: string | null;
  readonly accessLogs: boolean;
  /** False: its requests are not counted, anywhere. */
  readonly isMetered?: boolean;
  /** Counts its requests; null or absent where routers are not counted. */
  readonly meter?: Meter | null;
  /** Null or absent: its requests are not traced. */
  readonly traced?: TracedRoute | null;
  /** The route this one adds a service's own middlewares to; absent for a router's. */
  readonly within?: Route;
}
