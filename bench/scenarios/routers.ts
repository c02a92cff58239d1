// Many routers of a host and a path each; requests go to 64 of them in turn.

import { httpLoad } from '../drivers/http.ts';
import { type Case, defineScenario } from '../scenario.ts';
import { hostOf, manyRoutes, siteOf } from '../site.ts';

const askedHosts = 64;
/** Coprime to the sizes, so that what is asked lies all over the list. */
const stride = 7_919;

export const routers = defineScenario({
  name: 'routers',
  summary: '10, 1,000 and 10,000 routers of host and path',
  cases: [10, 1_000, 10_000].map(caseOf),
});

function caseOf(count: number): Case {
  const requests = Array.from({ length: askedHosts }, (_, i) => ({
    path: '/api/users/17',
    headers: { Host: hostOf((i * stride) % count) },
  }));
  return {
    name: String(count),
    site: siteOf(manyRoutes(count)),
    brief: true,
    load: httpLoad({ requests, isSmall: true }),
  };
}
