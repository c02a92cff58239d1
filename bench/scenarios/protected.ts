// A protected route: the auth server asked for every request, or its answer kept by the proxy.

import { httpLoad } from '../drivers/http.ts';
import { type Case, defineScenario } from '../scenario.ts';
import { type Route, siteOf } from '../site.ts';

export const guarded = defineScenario({
  name: 'protected',
  summary: 'a route behind an auth server, with and without a cache of its answers',
  cases: [caseOf('no cache', 'asked'), caseOf('cache', 'cached')],
});

function caseOf(name: string, guard: 'asked' | 'cached'): Case {
  const route: Route = { name: 'guarded', host: null, path: '/guarded', to: 'origin', guard };
  const request = { path: '/guarded', headers: { Authorization: 'Bearer bench' } };
  return { name, site: siteOf([route]), load: httpLoad({ requests: [request], isSmall: true }) };
}
