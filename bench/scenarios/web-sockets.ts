// WebSockets through the proxy: echoes, and many sockets that stay open.

import { echoes, openSocketsLoad } from '../drivers/web-sockets.ts';
import { defineScenario } from '../scenario.ts';
import { type Route, siteOf } from '../site.ts';

const route: Route = { name: 'sockets', host: null, path: '/ws', to: 'node', guard: null };

export const webSockets = defineScenario({
  name: 'web-sockets',
  summary: 'echoed messages per second, and 5,000 open sockets',
  cases: [
    { name: 'echo', site: siteOf([route]), load: echoes(64, '/ws', 128), brief: true },
    {
      name: '5000 open',
      site: siteOf([route], { connections: 5_000 }),
      load: openSocketsLoad(5_000, '/ws'),
      fresh: true,
      brief: true,
      extraSeconds: 2,
      // Here and at the proxy, which needs two for each.
      files: 10_000,
    },
  ],
});
