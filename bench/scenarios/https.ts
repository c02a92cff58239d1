// HTTPS: on connections that are kept, and with a whole handshake for every request.

import { httpLoad } from '../drivers/http.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, siteOf } from '../site.ts';

const site = siteOf([plainRoute], { isHttps: true });
const load = { requests: [{ path: '/plain' }], isSmall: true, isHttps: true };
const peers = ['portcullis', 'nginx', 'traefik'];

export const https = defineScenario({
  name: 'https',
  summary: 'TLS with a P-256 certificate: kept connections, and a handshake for every request',
  cases: [
    { name: 'kept', site, peers, load: httpLoad(load) },
    { name: 'handshakes', site, peers, brief: true, load: httpLoad({ ...load, newConnections: true }) },
  ],
});
