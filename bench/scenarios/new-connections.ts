// A connection for every request.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

export const newConnections = defineScenario({
  name: 'new-connections',
  summary: 'a new connection for every request',
  cases: [
    {
      name: '',
      site: siteOf([plainRoute]),
      brief: true,
      load: httpLoad({ requests: [{ path: '/plain' }], isSmall: true, newConnections: true }),
    },
  ],
});
