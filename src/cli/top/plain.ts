// One second of traffic as one line: for what is no terminal.

import type { Numbers } from './numbers.ts';
import { clock, count, milliseconds, share } from './words.ts';

export function plainLine(numbers: Numbers): string {
  const { requests, latency, statuses, authCache, workers, routers, servers } = numbers;
  const asked = authCache.hits + authCache.misses;
  return [
    clock(Date.parse(numbers.at)),
    `${count(requests.perSecond)} requests/s`,
    `p50 ${milliseconds(latency.p50)}`,
    `p99 ${milliseconds(latency.p99)}`,
    `4xx ${count(statuses.clientErrors)}`,
    `5xx ${count(statuses.serverErrors)}`,
    `auth cache ${share(authCache.hits, asked)}`,
    `workers ${workers.running}/${workers.total}`,
    `routers off ${count(routers.off)}`,
    `servers down ${count(servers.down.length)}`,
  ].join('  ');
}
