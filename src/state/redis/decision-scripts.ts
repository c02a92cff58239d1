// Auth decisions in Redis: a hash of sealed texts, when each of them ends, how many purges there were, and the last
// ones. All in one slot, so that a decision and the purges since are read in one step.

import { dropEnded, redisScript, wholeClock } from './script.ts';

/** One that is gone begins anew above all there ever was: nothing old is taken for new. */
const epochOf = `
local function epochOf(key)
  local epoch = redis.call('GET', key)
  if not epoch then
    epoch = string.format('%.0f', now)
    redis.call('SET', key, epoch)
  end
  return epoch
end
`;

/**
 * KEYS texts, ends, epoch, purges. ARGV name. Returns the epoch; and of a decision in its life: the text with its own
 * epoch before it, the milliseconds left, and the purges since, each with its epoch.
 */
export const findDecision = redisScript(`${wholeClock}${epochOf}
local epoch = epochOf(KEYS[3])
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return {epoch} end
local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if ends <= now then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {epoch}
end
local found = {epoch, text, string.format('%.0f', ends - now)}
local own = tonumber(string.match(text, '^(%d+) ') or 0)
if own < tonumber(epoch) then
  for _, purge in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
    if tonumber(string.match(purge, '^(%d+) ') or 0) > own then found[#found + 1] = purge end
  end
end
return found`);

/**
 * KEYS texts, ends. ARGV name, milliseconds it lives, text, how many there may be. Up to 16 that have ended go with
 * each that comes; beyond the bound the one that would end first goes.
 */
export const putDecision = redisScript(`${wholeClock}${dropEnded}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
dropEnded(KEYS[1], KEYS[2], tonumber(ARGV[4]))
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
end
return 1`);

/**
 * KEYS epoch, purges. ARGV what was purged (sealed, or nothing), how many purges are kept, channel, what follows the
 * epoch in the message. Returns the epoch.
 */
export const notePurge = redisScript(`${wholeClock}${epochOf}
epochOf(KEYS[1])
local epoch = string.format('%.0f', redis.call('INCR', KEYS[1]))
redis.call('RPUSH', KEYS[2], epoch .. ' ' .. ARGV[1])
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[2]), -1)
redis.call('PUBLISH', ARGV[3], '{"epoch":' .. epoch .. ',' .. ARGV[4])
return epoch`);

/** KEYS epoch. */
export const readEpoch = redisScript(`${wholeClock}${epochOf}
return epochOf(KEYS[1])`);

/** KEYS epoch. ARGV what it has been, and is at least from now on. */
export const raiseEpoch = redisScript(`
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`);
