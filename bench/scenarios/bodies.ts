// Bodies of 64 KiB and 10 MiB, from the server and to it.

import { httpLoad } from '../drivers/http.ts';
import { bodySizes } from '../origin.ts';
import { type Case, defineScenario } from '../scenario.ts';
import { type Route, siteOf } from '../site.ts';

const sizes = Object.entries(bodySizes);
const down: Route = {
  name: 'bodies',
  host: null,
  path: '/bodies',
  to: 'origin',
  guard: null,
  probe: '/bodies/64k',
};
const up: Route = { name: 'uploads', host: null, path: '/uploads', to: 'node', guard: null };

export const bodies = defineScenario({
  name: 'bodies',
  summary: '64 KiB and 10 MiB, down and up',
  cases: [...sizes.map(downloads), ...sizes.map(uploads)],
});

function downloads([name, bytes]: readonly [string, number]): Case {
  const requests = [{ path: `/bodies/${name}` }];
  return { name: `${name} down`, site: siteOf([down]), bytes, load: load(requests, bytes), brief: true };
}

function uploads([name, bytes]: readonly [string, number]): Case {
  const requests = [{ path: '/uploads', method: 'POST', bytes }];
  return { name: `${name} up`, site: siteOf([up]), bytes, load: load(requests, bytes), brief: true };
}

function load(requests: Parameters<typeof httpLoad>[0]['requests'], bytes: number): Case['load'] {
  return httpLoad({ requests, isSmall: true, connections: bytes > 1_048_576 ? 8 : 32 });
}
