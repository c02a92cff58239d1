// The least a proxy can do: a small answer, 64 keep-alive connections.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

export const plain = defineScenario({
  name: 'plain',
  summary: 'a small answer over keep-alive connections',
  cases: [
    {
      name: '',
      site: siteOf([plainRoute]),
      load: httpLoad({ requests: [{ path: '/plain' }], isSmall: true }),
    },
  ],
});
