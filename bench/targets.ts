// What is measured: the gateway and its peers, each with one worker, in front of one origin and auth server.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCommand } from './load.ts';
import { type Running, childrenOf, freePort, startProgram } from './processes.ts';

export interface Target {
  readonly scenario: 'plain' | 'protected';
  readonly name: string;
  readonly url: string;
  /** The processes whose CPU time counts. */
  readonly pids: readonly number[];
}

export interface Backends {
  readonly origin: string;
  readonly auth: string;
  readonly running: Running;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const nodeBackends = fileURLToPath(new URL('backends.ts', import.meta.url));

/** An origin answering `ok` and an auth server saying yes: nginx where it is, else Node. */
export async function startBackends(folder: string): Promise<Backends> {
  const originPort = await freePort();
  const authPort = await freePort();
  const origin = `http://127.0.0.1:${originPort}`;
  const auth = `http://127.0.0.1:${authPort}`;
  if (!hasCommand('nginx')) {
    const args = [nodeBackends, String(originPort), String(authPort)];
    return { origin, auth, running: await startProgram(process.execPath, args, `${origin}/`) };
  }
  const config = nginxFile(
    folder,
    'backends',
    `server { listen 127.0.0.1:${originPort} backlog=4096; location / { default_type text/plain; return 200 "ok"; } }
    server { listen 127.0.0.1:${authPort}; location / {
      add_header X-User-Id 17; add_header Cache-Control "max-age=60"; return 200 ""; } }`,
  );
  return { origin, auth, running: await startProgram('nginx', config, `${origin}/`) };
}

/** The gateway: a plain route, a route with the auth cache, one without. */
export async function startGateway(folder: string, backends: Backends): Promise<[Running, Target[]]> {
  const port = await freePort();
  const dynamic = join(folder, 'dynamic.json.yml');
  const forwardAuth = {
    address: `${backends.auth}/validate`,
    authRequestHeaders: ['Authorization'],
    authResponseHeaders: ['X-User-Id'],
  };
  const route = (path: string, middlewares: readonly string[]): object => ({
    rule: `PathPrefix(\`${path}\`)`,
    service: 'origin',
    ...(middlewares.length > 0 ? { middlewares } : {}),
  });
  // JSON is YAML.
  const config = {
    http: {
      routers: {
        plain: route('/plain', []),
        cached: route('/cached', ['cached']),
        asked: route('/asked', ['asked']),
      },
      middlewares: {
        cached: { forwardAuth: { ...forwardAuth, cache: { ttl: '60s', key: ['header:Authorization'] } } },
        asked: { forwardAuth },
      },
      services: { origin: { loadBalancer: { servers: [{ url: backends.origin }] } } },
    },
  };
  writeFileSync(dynamic, JSON.stringify(config, null, 2));
  const base = `http://127.0.0.1:${port}`;
  const flags = [
    `--entryPoints.web.address=127.0.0.1:${port}`,
    `--providers.file.filename=${dynamic}`,
    '--workers=1',
    '--log.level=ERROR',
  ];
  const running = await startProgram(process.execPath, [main, ...flags], `${base}/cached`);
  const pids = childrenOf(running.pid);
  return [
    running,
    [
      { scenario: 'plain', name: 'portcullis', url: `${base}/plain`, pids },
      { scenario: 'protected', name: 'portcullis, cache', url: `${base}/cached`, pids },
      { scenario: 'protected', name: 'portcullis, no cache', url: `${base}/asked`, pids },
    ],
  ];
}

/** nginx with the same three routes; null where it is not on the PATH. */
export async function startNginx(folder: string, backends: Backends): Promise<[Running, Target[]] | null> {
  if (!hasCommand('nginx')) return null;
  const port = await freePort();
  const host = (url: string): string => url.slice('http://'.length);
  const proxy = 'proxy_http_version 1.1; proxy_set_header Connection "";';
  const forward = `proxy_pass http://origin; ${proxy} proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;`;
  const guarded = (place: string): string =>
    `auth_request ${place}; auth_request_set $uid $upstream_http_x_user_id; ${forward}
      proxy_set_header X-User-Id $uid;`;
  const ask = `internal; proxy_pass http://auth/validate; ${proxy} proxy_pass_request_body off;
      proxy_set_header Content-Length "";`;
  const config = nginxFile(
    folder,
    'peer',
    `proxy_cache_path ${join(folder, 'auth-cache')} keys_zone=auth:1m;
    upstream origin { server ${host(backends.origin)}; keepalive 128; keepalive_requests 100000000; }
    upstream auth { server ${host(backends.auth)}; keepalive 128; keepalive_requests 100000000; }
    server { listen 127.0.0.1:${port} backlog=4096;
      location /plain { ${forward} }
      location /cached { ${guarded('/_cached')} }
      location /asked { ${guarded('/_asked')} }
      location = /_asked { ${ask} }
      location = /_cached { ${ask} proxy_cache auth; proxy_cache_key $http_authorization; proxy_cache_valid 200 60s; }
    }`,
  );
  const base = `http://127.0.0.1:${port}`;
  const running = await startProgram('nginx', config, `${base}/cached`);
  // Besides the worker there are the cache's processes: one sleeps, one ends after a minute.
  const pids = childrenOf(running.pid, 'worker process');
  return [
    running,
    [
      { scenario: 'plain', name: 'nginx', url: `${base}/plain`, pids },
      { scenario: 'protected', name: 'nginx, cache', url: `${base}/cached`, pids },
      { scenario: 'protected', name: 'nginx, no cache', url: `${base}/asked`, pids },
    ],
  ];
}

function nginxFile(folder: string, name: string, servers: string): readonly string[] {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${home}/${kind};`)
    .join('\n    ');
  // As root nginx would drop to a user that cannot read the folder.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  writeFileSync(
    file,
    `${user}daemon off; worker_processes 1; pid ${home}/pid; error_log stderr error;
events { worker_connections 4096; }
http {
    access_log off; keepalive_requests 100000000; keepalive_timeout 300s;
    ${temporary}
    ${servers}
}
`,
  );
  return ['-p', home, '-c', file, '-e', 'stderr'];
}
