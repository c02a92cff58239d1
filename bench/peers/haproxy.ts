// HAProxy: routes of many hosts through a map file, as its manual advises.

import { join } from 'node:path';
import { rateLimit, type Site, stickyCookie } from '../site.ts';
import { isLimited, isSticky, type Peer, type Place } from './peer.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  command: 'haproxy',
  version: ['-v'],
  plan(site, place) {
    if (site.routes.some((route) => route.guard !== null)) return { unable: 'asks no auth server by itself' };
    const config = join(place.folder, 'haproxy.cfg');
    return {
      label: labelOf(site),
      files: { [config]: text(site, place), [mapFile(place)]: mapText(site) },
      // With a master process, so that it can be reloaded.
      program: {
        command: 'haproxy',
        args: ['-W', '-f', config],
        ...(site.accessLog && { stdout: join(place.folder, 'access.log') }),
      },
      reload: (pid) => void process.kill(pid, 'SIGUSR2'),
    };
  },
};

function labelOf(site: Site): string {
  if (isLimited(site)) return 'haproxy stick-table';
  return isSticky(site) ? 'haproxy cookie insert' : 'haproxy';
}

function text(site: Site, place: Place): string {
  const { backends, cores, port } = place;
  const anyHost = site.routes.filter((route) => route.host === null);
  return `global
  nbthread ${cores}
  maxconn ${site.connections + 256}
  no strict-limits
  stats socket ${join(place.folder, 'admin.sock')} level admin expose-fd listeners
  ${site.accessLog ? 'log stdout format raw local0' : ''}
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout tunnel 1h
  option forwardfor
  http-reuse always
frontend web
  bind 127.0.0.1:${port} backlog 4096
  ${site.accessLog ? 'log global\n  option httplog' : ''}
  ${isLimited(site) ? limit : ''}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  ${anyHost.map((route) => `use_backend ${route.to} if { path_beg ${route.path} }`).join('\n  ')}
  ${anyHost.length < site.routes.length ? `use_backend %[base,map_beg(${mapFile(place)})]` : ''}
backend origin
  server one ${backends.origin}
backend node
  server one ${backends.node}
backend sticky
  balance roundrobin
  cookie ${stickyCookie} insert indirect nocache
  server one ${backends.origin} cookie one
  server two ${backends.twin} cookie two
`;
}

const limit = `stick-table type ip size 100k expire 10s store http_req_rate(1s)
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${rateLimit} }`;

function mapFile(place: Place): string {
  return join(place.folder, 'routes.map');
}

function mapText(site: Site): string {
  const lines = site.routes.flatMap((route) =>
    route.host === null ? [] : [`${route.host}${route.path} ${route.to}\n`],
  );
  return lines.join('');
}
