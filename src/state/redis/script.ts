// A Lua script as Redis keeps it: by the SHA-1 of its text.

import { hash } from 'node:crypto';

export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

/** All keys of one run must lie in one slot: give them one hash tag. */
export function redisScript(lua: string): RedisScript {
  return { lua, sha: hash('sha1', lua) };
}
