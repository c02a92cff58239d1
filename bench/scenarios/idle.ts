// Keep-alive connections that hardly ask: memory of each, and the latency of the few that do.

import { idleConnections } from '../drivers/idle.ts';
import { type Case, defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

export const idle = defineScenario({
  name: 'idle',
  summary: '1,000 and 10,000 idle keep-alive connections with a trickle of requests',
  cases: [1_000, 10_000].map(caseOf),
});

function caseOf(count: number): Case {
  return {
    name: String(count),
    site: siteOf([plainRoute], { connections: count }),
    load: idleConnections(count, '/plain'),
    fresh: true,
    brief: true,
    extraSeconds: 0.5 + count / 4_000,
    files: count,
  };
}
