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

/** The server's own clock as `now`, in milliseconds: nodes need not agree about the time. */
export const clock = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
`;

/** The same in whole milliseconds. */
export const wholeClock: string = `${clock}now = math.floor(now)
`;

/**
 * `dropEnded(values, ends, most)`: of a hash and the sorted set that says when each of its fields ends. Up to 16 that
 * have ended go; beyond `most` those that would end first.
 */
export const dropEnded = `
local function dropEnded(values, ends, most)
  local gone = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 16)
  local over = redis.call('ZCARD', ends) - #gone - most
  if over > 0 then
    for _, one in ipairs(redis.call('ZRANGE', ends, #gone, #gone + math.min(over, 16) - 1)) do
      gone[#gone + 1] = one
    end
  end
  for _, one in ipairs(gone) do
    redis.call('HDEL', values, one)
    redis.call('ZREM', ends, one)
  end
end
`;
