// What Redis does in one step for ACME's storage: giving out leases, and writing for those who still hold one.

import { redisScript } from '../../state/redis/script.ts';

/**
 * KEYS lease, fence. ARGV holder, milliseconds of the lease, milliseconds the fence is remembered.
 * Returns the fence, or 0 when somebody holds the lease. A fence is at least the server's time, so that fences go on
 * rising when a failover or a restart has lost the last one given out.
 */
export const grantLease = redisScript(`
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, now)
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'PX', ARGV[3])
return fence`);

/** KEYS lease. ARGV holder, milliseconds. Returns 1 while it is the holder's. */
export const renewLease = redisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

/** KEYS lease. ARGV holder. */
export const releaseLease = redisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/**
 * Before every write: KEYS[1] the fence; ARGV fence, milliseconds it is remembered, channel, writer. What is published
 * inside a script is heard after it; when it may not be published, nothing is written.
 */
const guard = `
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 'fenced' end
`;
const announce = `
redis.call('PUBLISH', ARGV[3], ARGV[4])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
`;

/** KEYS fence, account. ARGV as above, the account. */
export const writeAccount = redisScript(`${guard}${announce}
redis.call('SET', KEYS[2], ARGV[5])
return 'ok'`);

/** KEYS fence, certificates. ARGV as above, field, certificate, most fields. */
export const writeCertificate = redisScript(`${guard}
if redis.call('HEXISTS', KEYS[2], ARGV[5]) == 0 and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[7]) then
  return 'full'
end
${announce}
redis.call('HSET', KEYS[2], ARGV[5], ARGV[6])
return 'ok'`);

/**
 * KEYS fence, attempts, their times. ARGV as above, names, attempt or nothing, time of the next try, most fields.
 * The one whose next try is the longest ago makes room.
 */
export const writeAttempt = redisScript(`${guard}${announce}
redis.call('HDEL', KEYS[2], ARGV[5])
redis.call('ZREM', KEYS[3], ARGV[5])
if ARGV[6] == '' then return 'ok' end
while redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[8]) do
  local oldest = redis.call('ZRANGE', KEYS[3], 0, 0)[1] or redis.call('HKEYS', KEYS[2])[1]
  redis.call('ZREM', KEYS[3], oldest)
  redis.call('HDEL', KEYS[2], oldest)
end
redis.call('HSET', KEYS[2], ARGV[5], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[7], ARGV[5])
return 'ok'`);

/**
 * KEYS account, certificates. ARGV account or nothing, then field and certificate, alternating.
 * Only into an empty storage. Returns 1 when it was written.
 */
export const takeOver = redisScript(`
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return 0 end
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[1]) end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1`);

/**
 * KEYS challenges, the token's. ARGV channel, writer, challenge, milliseconds, key authorisation or nothing, most of
 * them.
 */
export const offerChallenge = redisScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[3]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[6]) then
  return 'full'
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[4]), ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[5] ~= '' then redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[4]) end
return 'ok'`);

/** KEYS challenges, the token's. ARGV channel, writer, challenge, key authorisation or nothing. */
export const withdrawChallenge = redisScript(`
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('ZREM', KEYS[1], ARGV[3])
if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) == ARGV[4] then redis.call('DEL', KEYS[2]) end
return 'ok'`);

/** KEYS challenges. ARGV most of them. */
export const listChallenges = redisScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'LIMIT', 0, ARGV[1])`);
