// `state` of the static configuration, as processes use it.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RedisSettings } from '../../model/redis.ts';
import type { StaticConfig } from './schema.ts';

/** Null: there is no Redis. */
export function resolveRedis(_config: StaticConfig, _diagnostics: Diagnostic[]): RedisSettings | null {
  return null;
}
