// Sessions as Redis keeps them: for each service a hash of targets and, beside it, when each of them ends.

import { dropEnded, redisScript, wholeClock } from './script.ts';

/** KEYS targets, ends. ARGV session, milliseconds it may be unused. Returns its target, or nothing. */
export const findSession = redisScript(`${wholeClock}
local target = redis.call('HGET', KEYS[1], ARGV[1])
if not target then return false end
local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if ends <= now then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return false
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return target`);

/**
 * KEYS targets, ends. ARGV session, milliseconds it may be unused, target, how many sessions there may be, channel and
 * message for when it was elsewhere before. Up to 16 that have ended go with each that comes; beyond the bound the one that would end first goes.
 */
export const learnSession = redisScript(`${wholeClock}${dropEnded}
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if before and before ~= ARGV[3] then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
dropEnded(KEYS[1], KEYS[2], tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`);

/** KEYS targets, ends. ARGV session, channel and message for all. */
export const forgetSession = redisScript(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`);
