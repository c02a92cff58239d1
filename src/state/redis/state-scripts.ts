// Buckets and counts as Redis keeps them: one key each, by the clock of the server.

import { clock, redisScript } from './script.ts';

/**
 * The bucket of KEYS[1] by ARGV rate, burst, longest wait: `tokens` and when they were right, `at`. Needs `clock`.
 */
export const readBucket = `
local rate, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, at = burst, now
local kept = redis.call('GET', KEYS[1])
if kept then
  local first, second = string.match(kept, '^(%S+) (%S+)$')
  tokens, at = tonumber(first), tonumber(second)
  if now > at then
    tokens = math.min(burst, tokens + (now - at) * rate)
    at = now
  end
end
`;

/**
 * KEYS bucket. ARGV rate, burst, longest wait. Returns wait and whole tokens left, as texts.
 * What is kept is tokens and when they were right; a bucket that would be full again is forgotten.
 */
export const takeToken = redisScript(`${clock}${readBucket}local left = tokens - 1
local wait = 0
if left < 0 then wait = -left / rate end
if wait < 1e-6 then wait = 0 end
if wait > longest then return {string.format('%.6f', wait), '0'} end
local full = math.ceil((burst - left) / rate) + 1000
redis.call('SET', KEYS[1], string.format('%.17g %.17g', left, at), 'PX', math.min(full, 2592000000))
local remaining = 0
if left > 0 then remaining = math.floor(left + 1e-6) end
return {string.format('%.6f', wait), string.format('%.0f', remaining)}`);

/**
 * KEYS count. ARGV holder, milliseconds its number stands, number of the call, limit or nothing, what the holder runs.
 * With a limit one more of the holder's enters, returns 1 when it is in; without, the holder's number is set. One
 * script for both, so that they run in the order they were sent in even when Redis has to be sent the script again. A
 * number that comes later than a newer call is out of date.
 */
export const countRunning = redisScript(`${clock}
local all = redis.call('HGETALL', KEYS[1])
local total, own, newest = 0, 0, 0
for i = 1, #all, 2 do
  local number, ends, call = string.match(all[i + 1], '^(%d+) (%d+) (%d+)$')
  if tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    total = total + tonumber(number)
    if all[i] == ARGV[1] then own, newest = tonumber(number), tonumber(call) end
  end
end
local call = tonumber(ARGV[3])
if ARGV[4] == '' then
  if call < newest then return 1 end
  own = tonumber(ARGV[5])
else
  if total >= tonumber(ARGV[4]) then return 0 end
  own = own + 1
end
if own <= 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  local ends = math.floor(now) + tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f %.0f', own, ends, math.max(call, newest)))
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1`);
