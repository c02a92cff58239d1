// Memory after minutes of everything: is it flat, and how much is it.

import { mixedLoad } from '../drivers/mixed.ts';
import { defineScenario } from '../scenario.ts';
import { plainRoute, type Route, type Site, siteOf } from '../site.ts';
import { browserHeaders } from './browser.ts';

type Guard = Route['guard'];

const load = mixedLoad({
  requests: [
    { path: '/plain' },
    { path: '/plain', headers: browserHeaders },
    { path: '/guarded', headers: { Authorization: 'Bearer bench-' } },
    { path: '/bodies/64k' },
    { path: '/guarded', headers: { Authorization: 'Bearer bench-', Cookie: 'session=4f1c2b9a' } },
    { path: '/uploads', method: 'POST', bytes: 65_536 },
  ],
  clients: 12,
  sockets: 8,
  socketPath: '/ws',
});

/** What a proxy can do of `cached`, where it cannot do all. */
const lesser: Readonly<Record<string, { readonly guard: Guard; readonly remark: string }>> = {
  caddy: { guard: 'asked', remark: 'no cache' },
  traefik: { guard: 'asked', remark: 'no cache' },
  haproxy: { guard: null, remark: 'no auth server' },
};

export const memory = defineScenario({
  name: 'memory',
  summary: 'minutes of everything mixed, all at the same pace: memory, and whether it grows (--minutes)',
  cases: [
    {
      name: 'mixed load',
      site: site('cached'),
      siteFor(peer) {
        const less = lesser[peer];
        return less === undefined ? null : { site: site(less.guard), remark: less.remark };
      },
      load,
      together: true,
    },
  ],
});

function site(guard: Guard): Site {
  const origin: Route = { ...plainRoute };
  return siteOf([
    { ...origin, name: 'guarded', path: '/guarded', guard },
    { ...origin, name: 'bodies', path: '/bodies' },
    { ...origin, name: 'uploads', path: '/uploads', to: 'node' },
    { ...origin, name: 'sockets', path: '/ws', to: 'node' },
    origin,
  ]);
}
