// The shape of a middleware: schema, one line of documentation and the build function in one file.

import type { z } from 'zod';
import type { SharedDecisions } from '../../state/decisions.ts';
import type { WorkerMeters } from '../../observability/worker-metrics.ts';
import type { State } from '../../state/state.ts';
import type { Hooks } from '../hooks.ts';
import type { Service } from '../services/service.ts';
import type { AuthClients } from '../upstream/auth-client.ts';
import type { AuthCacheRegistry } from './forward-auth/cache.ts';

/** What a build may use. Everything with a timer or socket is got here, never made at import. */
export interface BuildDeps {
  /** Qualified name of this middleware: `auth@file`. */
  readonly name: string;
  /**
   * Qualified name of the router this instance is for; `service`, a line feed and the name when it is for a service;
   * empty unless the definition is `perRouter`.
   */
  readonly router: string;
  /** 32 random bytes of this boot, hex, the same in every worker. */
  readonly bootSecret: string;
  /** An index into `x.slots` that no other middleware of the Runtime has; instances for routers share theirs. */
  slot(): number;
  /**
   * Something that outlives reloads as long as some Runtime asks for the same `key` (make the options
   * part of it). Closed once no Runtime does.
   */
  keep<T extends Closable>(key: string, create: () => T): T;
  /**
   * A service that `services` of the definition names, by the same text. Throws when it cannot be used: the
   * router answers 503 then.
   */
  service(name: string): Service;
  readonly authClients: AuthClients;
  /** Where caches of auth decisions announce themselves, so that a purge reaches them. */
  readonly authCaches: AuthCacheRegistry;
  /** Buckets and counts that all workers share; they outlive reloads and workers. */
  readonly state: State;
  /** Auth decisions that nodes share; null or absent: they share none. */
  readonly decisions?: SharedDecisions | null;
  /** Null or absent: nothing is counted. */
  readonly meters?: WorkerMeters | null;
  readonly log: BuildLog;
}

export interface Closable {
  close(): void;
}

/** A line about this middleware. Never pass it anything a client sent. */
export interface BuildLog {
  warn(message: string): void;
  error(message: string): void;
}

export interface MiddlewareDefinition<Schema extends z.ZodType = z.ZodType> {
  /** As Traefik spells it: `stripPrefix`. */
  readonly kind: string;
  /** Other kinds that mean the same: `ipWhiteList`. */
  readonly aliases?: readonly string[];
  /** One sentence for the reference table. */
  readonly summary: string;
  readonly schema: Schema;
  /** One instance for each router that uses it, with state of its own (buckets, breakers); else one for all. */
  readonly perRouter?: true;
  /** Services it asks, as they are written: without an `@`, those of the middleware's own provider. */
  services?(options: z.output<Schema>): readonly string[];
  /**
   * Puts the content of the files that the options name into them, in the primary, at every reload and when one
   * of them changes: workers read none. `readFile` throws `Error`, and so may this: routers that use it answer 503.
   */
  withFiles?(options: z.output<Schema>, readFile: (path: string) => string): z.output<Schema>;
  /** Headers whose values only this middleware may set: no client gets to send them, on no route. Tolerates any options. */
  ownHeaders?(options: unknown): readonly string[];
  /** At load, once per instance that changed. Throws `Error` when the options cannot work: that router answers 503. */
  build(options: z.output<Schema>, deps: BuildDeps): Hooks;
}

export function defineMiddleware<Schema extends z.ZodType>(
  definition: MiddlewareDefinition<Schema>,
): MiddlewareDefinition<Schema> {
  return definition;
}
