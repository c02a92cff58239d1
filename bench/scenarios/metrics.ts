// The price of metrics: the request of `browser` without and with every request counted for Prometheus.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';
import { browserHeaders } from './browser.ts';

const load = httpLoad({ requests: [{ path: '/plain', headers: browserHeaders }], isSmall: true });
/** Those that count requests for Prometheus without another program beside them. */
const peers = ['portcullis', 'traefik'];

export const metrics = defineScenario({
  name: 'metrics',
  summary: 'the request of `browser`, without and with metrics',
  cases: [
    { name: 'off', site: siteOf([plainRoute]), load, peers },
    { name: 'on', site: siteOf([plainRoute], { metrics: true }), load, peers },
  ],
});
