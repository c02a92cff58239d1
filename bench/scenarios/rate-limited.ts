// A route on which every request is counted against a limit that is not reached.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { type Route, siteOf } from '../site.ts';

const route: Route = {
  name: 'limited',
  host: null,
  path: '/limited',
  to: 'origin',
  guard: null,
  isLimited: true,
};

export const rateLimited = defineScenario({
  name: 'rate-limited',
  summary: 'every request takes a token of its client, and there are always enough',
  cases: [
    {
      name: '',
      site: siteOf([route]),
      load: httpLoad({ requests: [{ path: '/limited' }], isSmall: true }),
    },
  ],
});
