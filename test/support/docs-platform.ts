// What the documents' commands find: files, servers, an auth server, Redis, and a gateway with its API on :8080.

import { setTimeout as wait } from 'node:timers/promises';
import { readDocuments } from './docs.ts';
import type { Stage } from './docs-stage.ts';
import { makeAuthority } from './pki.ts';

export const hosts = [
  'auth',
  'collector',
  'redis',
  'socket-proxy',
  'api.example.com',
  'app.example.com',
  'gate.example.com',
  'shop.example.com',
];

/** Server and auth server: says yes to every token, and nothing without one. */
const servers = `
const { createServer } = require('node:http');
for (const port of [8000, 8001]) createServer((q, a) => {
  if (q.url === '/health') return a.end('well\\n');
  a.setHeader('content-type', 'application/json');
  a.end(JSON.stringify({ port, path: q.url, user: q.headers['x-user-id'] ?? null }) + '\\n');
}).listen(port);
createServer((q, a) => {
  if (q.headers.authorization === undefined) return void a.writeHead(401).end();
  a.writeHead(200, { 'x-user-id': '17', 'x-user-role': 'admin' }).end();
}).listen(8700);
`;

/** Where the documents name files and show no content. */
const files: Readonly<Record<string, string>> = {
  '/etc/portcullis/users': 'ops:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n',
  '/srv/gateway.yml': `
entryPoints:
  web: { address: ":80" }
  websecure: { address: ":443", http2: { maxConcurrentStreams: 250 } }
api: { insecure: true }
ping: {}
metrics: { prometheus: {} }
accessLog: { filePath: logs/traefik/access.log, format: short }
log: { filePath: logs/traefik/traefik.log }
providers: { providersThrottleDuration: 10ms, file: { directory: dynamic } }
state: { redis: { endpoints: ["redis:6379"] }, secret: 0123456789abcdef0123456789abcdef }
`,
  'dynamic/app.yml': `
http:
  routers:
    shop: { rule: "Host(\`shop.example.com\`)", entryPoints: [web, websecure], service: app, tls: {} }
    plain: { rule: "PathPrefix(\`/api\`) || Host(\`localhost\`)", entryPoints: [web], service: app, middlewares: [auth] }
    secure: { rule: "Host(\`api.example.com\`)", entryPoints: [websecure], service: app, tls: {} }
    mcp: { rule: "PathPrefix(\`/mcp\`)", entryPoints: [web], service: mcp }
  middlewares:
    auth:
      forwardAuth:
        address: http://auth:8700/validate
        authRequestHeaders: [Authorization]
        authResponseHeaders: [X-User-Id, X-User-Role]
        cache: { ttl: 10s }
  services:
    app: { loadBalancer: { servers: [{ url: http://127.0.0.1:8000 }, { url: http://127.0.0.1:8001 }] } }
    mcp: { loadBalancer: { servers: [{ url: http://10.0.0.1:8000 }, { url: http://10.0.0.2:8000 }] } }
tls:
  certificates: [{ certFile: /certs/shop.pem, keyFile: /certs/shop.key }]
`,
  'docker-compose.yml': `
services:
  gateway:
    image: traefik:v3.7
    command: ["--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443", "--providers.docker=true"]
  shop:
    image: shop:1
    labels:
      traefik.http.routers.shop.rule: Host(\`shop.example.com\`)
      traefik.http.routers.shop.tls: "true"
      traefik.http.services.shop.loadbalancer.server.port: "8000"
`,
};

/** A static file of a user, put there only for commands that name it: found in the folder it would be read by itself. */
export const staticFile = `
entryPoints:
  web: { address: ":80" }
  websecure: { address: ":443" }
api: { insecure: true }
ping: {}
providers: { file: { directory: dynamic } }
`;

/** All files that documents name or show, and servers; no gateway. */
export async function furnish(stage: Stage): Promise<void> {
  for (const [path, text] of Object.entries(files)) await stage.write(path, text);
  const authority = makeAuthority();
  const { cert, key } = authority.issue(['shop.example.com', 'api.example.com', 'intranet.example.com']);
  authority.close();
  for (const name of ['shop', 'intranet']) {
    await stage.write(`/certs/${name}.pem`, cert);
    await stage.write(`/certs/${name}.key`, key, '600');
  }
  await stage.write('acme.json', JSON.stringify({ letsencrypt: { Certificates: [] } }), '600');
  await stage.write('letsencrypt/acme.json', '{}', '600');
  await stage.run('mkdir -p /data /logs logs/traefik');
  for (const block of readDocuments().flatMap((document) => document.blocks)) {
    const path = block.attributes.get('as');
    if (path !== undefined) await stage.write(path, block.text);
  }
  await startServers(stage);
}

/** Two servers, the auth server and Redis, on the ports the documents give them. */
export async function startServers(stage: Stage): Promise<void> {
  await stage.write('/srv/servers.cjs', servers);
  const redis = 'redis-server --daemonize yes --save "" >/dev/null';
  const { code, output } = await stage.run(`${redis}; node /srv/servers.cjs >/tmp/servers.log 2>&1 &`);
  if (code !== 0) throw new Error(output);
}

/** The gateway of `/srv/gateway.yml`: its process id, once it serves. */
export async function startGateway(stage: Stage): Promise<number> {
  const start = 'node src/main.ts --configFile=/srv/gateway.yml >/tmp/gateway.log 2>&1 & echo $!';
  const pid = Number.parseInt((await stage.run(start)).output, 10);
  await waitFor(stage, 'curl -sf http://127.0.0.1:8080/ping', pid);
  return pid;
}

/** Until the command ends with 0, 30 s at most, as long as the process lives. */
export async function waitFor(stage: Stage, command: string, pid: number): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    if ((await stage.run(command)).code === 0) return;
    if ((await stage.run(`kill -0 ${pid}`)).code !== 0) break;
    await wait(100);
  }
  throw new Error((await stage.run('cat /tmp/gateway.log logs/traefik/traefik.log')).output);
}
