// Latency with air to breathe: everyone at 70 % of the rate at which ours has no more to give.

import { httpLoad } from '../drivers/http.ts';
import { pacedLoad } from '../drivers/paced.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

/** Enough that none of them is what a request waits for, while the proxy keeps up. */
const connections = 256;

export const latency = defineScenario({
  name: 'latency',
  summary: 'p50, p99 and p99.9 of everyone at 70 % of the rate that saturates ours',
  cases: [
    {
      name: '70 % load',
      site: siteOf([plainRoute]),
      saturation: { load: httpLoad({ requests: [{ path: '/plain' }], isSmall: true }), share: 0.7 },
      load: pacedLoad('/plain', connections),
    },
  ],
});
