// A file of 10,000 routers gets one more, under load.

import { reloadUnderLoad } from '../drivers/reload.ts';
import { defineScenario } from '../scenario.ts';
import { manyRoutes, plainRoute, siteOf } from '../site.ts';

const routes = [plainRoute, ...manyRoutes(10_000)];
const added = { ...plainRoute, name: 'added', path: '/added' };

export const reload = defineScenario({
  name: 'reload',
  summary: 'a 10,000-router file that gets one more router under load, failures counted',
  cases: [
    {
      name: '10000 routers',
      site: siteOf(routes),
      load: reloadUnderLoad(siteOf([...routes, added]), '/plain', '/added'),
      fresh: true,
      brief: true,
      extraSeconds: 1,
    },
  ],
});
