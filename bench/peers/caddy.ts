// Caddy, in its JSON; `forward_auth` is written out as its Caddyfile adapter would.

import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { type Backends, type Route, type Site, stickyCookie } from '../site.ts';
import { hasGuard, isLimited, isSticky, type Peer, type Place } from './peer.ts';

export const caddy: Peer = {
  name: 'caddy',
  command: 'caddy',
  version: ['version'],
  plan(site, place) {
    if (hasGuard(site, 'cached')) return { unable: 'its forward_auth has no cache' };
    if (isLimited(site)) return { unable: 'it has no rate limit built in' };
    const file = join(place.folder, 'caddy.json');
    const home = { XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder };
    return {
      label: labelOf(site),
      files: { [file]: JSON.stringify(config(site, place)) },
      program: {
        command: 'caddy',
        args: ['run', '--config', file],
        env: { ...home, GOMAXPROCS: String(place.cores) },
      },
      reload: () => load(place.adminPort, readFileSync(file, 'utf8')),
    };
  },
};

function labelOf(site: Site): string {
  if (isSticky(site)) return 'caddy lb_policy cookie';
  return hasGuard(site, 'asked') ? 'caddy forward_auth' : 'caddy';
}

async function load(adminPort: number, text: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${adminPort}/load`, { method: 'POST', headers, body: text });
  if (!answer.ok) throw new Error(`caddy refused the new configuration: ${answer.status}`);
}

function config(site: Site, place: Place): object {
  const access = {
    writer: { output: 'file', filename: join(place.folder, 'access.log') },
    include: ['http.log.access.bench'],
  };
  const server = {
    listen: [`127.0.0.1:${place.port}`],
    automatic_https: { disable: true },
    idle_timeout: '300s',
    routes: site.routes.map((route) => routeOf(route, place)),
    ...(site.accessLog && { logs: { default_logger_name: 'bench' } }),
  };
  return {
    admin: { listen: `127.0.0.1:${place.adminPort}`, config: { persist: false } },
    logging: { logs: { default: { level: 'ERROR' }, ...(site.accessLog && { bench: access }) } },
    apps: { http: { servers: { bench: server } } },
  };
}

function routeOf(route: Route, place: Place): object {
  const match = { path: [`${route.path}*`], ...(route.host !== null && { host: [route.host] }) };
  const { backends } = place;
  const last = route.to === 'sticky' ? sticky(backends) : proxy(backends[route.to]);
  const handle = [...(route.guard === null ? [] : [guard(place)]), last];
  return { match: [match], handle, terminal: true };
}

function sticky(backends: Backends): object {
  const policy = { policy: 'cookie', name: stickyCookie, secret: 'bench' };
  return {
    ...proxy(backends.origin),
    upstreams: [{ dial: backends.origin }, { dial: backends.twin }],
    load_balancing: { selection_policy: policy },
  };
}

function proxy(address: string): object {
  const keepAlive = { enabled: true, max_idle_conns_per_host: 256, idle_timeout: '300s' };
  return {
    handler: 'reverse_proxy',
    upstreams: [{ dial: address }],
    transport: { protocol: 'http', compression: false, keep_alive: keepAlive },
  };
}

function guard(place: Place): object {
  const identity = { 'X-User-Id': ['{http.reverse_proxy.header.X-User-Id}'] };
  return {
    ...proxy(place.backends.auth),
    rewrite: { method: 'GET', uri: '/validate' },
    headers: { request: { set: { 'X-Forwarded-Method': ['{http.request.method}'] } } },
    handle_response: [
      {
        match: { status_code: [2] },
        routes: [{ handle: [{ handler: 'headers', request: { set: identity } }] }],
      },
    ],
  };
}
