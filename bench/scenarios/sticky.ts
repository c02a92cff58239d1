// Two servers, and a cookie that keeps each client at one of them.

import { firstVisits, returningVisitors } from '../drivers/sticky.ts';
import { type Case, defineScenario, type Load } from '../scenario.ts';
import { type Route, siteOf } from '../site.ts';

const route: Route = { name: 'sticky', host: null, path: '/sticky', to: 'sticky', guard: null };

export const sticky = defineScenario({
  name: 'sticky',
  summary: 'two servers and a cookie: clients that have it, clients that get it',
  cases: [caseOf('returning', returningVisitors('/sticky')), caseOf('first visit', firstVisits('/sticky'))],
});

function caseOf(name: string, load: Load): Case {
  return { name, site: siteOf([route]), load, brief: true };
}
