// The price of an access log; `browser` is the same without: the default format of each, to a file, written in batches where that can be set.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';
import { browserHeaders } from './browser.ts';

const load = httpLoad({ requests: [{ path: '/plain', headers: browserHeaders }], isSmall: true });

export const accessLog = defineScenario({
  name: 'access-log',
  summary: 'the request of `browser`, with an access log',
  cases: [{ name: '', site: siteOf([plainRoute], { accessLog: true }), load }],
});
