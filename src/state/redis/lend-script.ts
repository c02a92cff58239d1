// Several tokens of one bucket at once: the same buckets as those of which single tokens are taken.

import { clock, redisScript } from './script.ts';
import { readBucket } from './state-scripts.ts';

/**
 * KEYS bucket. ARGV rate, burst, longest wait, tokens needed, tokens that may come on top, tokens given back. Returns,
 * as texts: how many are there at once, how many after a wait, the first one's wait (each next one comes 1 / rate later),
 * the wait of who would come next, whole tokens left.
 * On top come no more than a quarter of what is left, and only when nobody has to wait: others need some, too.
 */
export const lendTokens = redisScript(`${clock}${readBucket}
local need, extra, back = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
tokens = math.min(burst, tokens + back)
local before = tokens
local slack = rate * 1e-6
local granted = math.max(0, math.min(need, math.floor(tokens + slack)))
tokens = tokens - granted
local late, first = 0, 0
while granted + late < need do
  local wait = (1 - tokens) / rate
  if wait > longest then break end
  if late == 0 then first = wait end
  late = late + 1
  tokens = tokens - 1
end
if granted == need then
  local more = math.max(0, math.min(extra, math.floor(tokens / 4)))
  granted = granted + more
  tokens = tokens - more
end
local following = math.max(0, (1 - tokens) / rate)
if tokens ~= before or back > 0 then
  local full = math.ceil((burst - tokens) / rate) + 1000
  redis.call('SET', KEYS[1], string.format('%.17g %.17g', tokens, at), 'PX', math.min(full, 2592000000))
end
return {
  string.format('%.0f', granted), string.format('%.0f', late), string.format('%.6f', first),
  string.format('%.6f', following), string.format('%.0f', math.max(0, math.floor(tokens + 1e-6)))
}`);
