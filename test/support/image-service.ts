// Runs inside containers, in place of the images that compose files name: `node image-service.ts <service> <port>`.

import { createServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { hostname } from 'node:os';
import { startAdminApi, startAdminWeb } from '../../ops/demo/services/admin.ts';
import { startAuthService } from '../../ops/demo/services/auth.ts';
import { type DemoService, sendJson, startService } from '../../ops/demo/services/http.ts';
import { startMcpServer } from '../../ops/demo/services/mcp.ts';
import { startOmni2 } from '../../ops/demo/services/omni2.ts';

const services: Readonly<Record<string, () => Promise<DemoService>>> = {
  auth_service: () => startAuthService({ onRevoked: () => Promise.resolve() }),
  omni2: () => startOmni2(hostname()),
  'admin-web': startAdminWeb,
  'admin-api': startAdminApi,
  database_mcp: () => startMcpServer('database_mcp'),
  macgyver_mcp: () => startMcpServer('macgyver_mcp'),
  informatica_mcp: () => startMcpServer('informatica_mcp'),
  auth: startOAuth,
  'mcp-fetch': startEcho,
};

const [, , name = '', port = ''] = process.argv;
// Process 1 of a container ends by no signal that it does not handle.
process.on('SIGTERM', () => process.exit(0));
if (name === 'socket-proxy') startSocketProxy(Number(port));
else {
  const start = services[name];
  if (start === undefined) throw new Error(`no service ${name}`);
  const { server } = await start();
  // They listen on the loopback alone, as the demo has it.
  createTcpServer((socket) => server.emit('connection', socket)).listen(Number(port), '0.0.0.0');
}

/** The one question that is asked for all, and a page that is open to everybody. */
function startOAuth(): Promise<DemoService> {
  return startService('auth', (incoming, response, url) => {
    if (url.pathname.startsWith('/.well-known/')) return sendJson(response, 200, { issuer: 'auth' });
    if (url.pathname !== '/verify') return sendJson(response, 404, {});
    if (incoming.headers.authorization !== 'Bearer good')
      return sendJson(response, 401, { error: 'unauthorized' });
    return sendJson(
      response,
      200,
      {},
      { 'X-User-Id': '17', 'X-User-Name': 'ada', 'X-Auth-Token': 'checked' },
    );
  });
}

function startEcho(): Promise<DemoService> {
  return startService('mcp-fetch', (incoming, response) => sendJson(response, 200, incoming.headers));
}

/** What a filter before the engine's socket lets through: four kinds of GET. */
function startSocketProxy(listenOn: number): void {
  createServer((incoming, response) => {
    const path = incoming.url ?? '';
    const isAllowed = /^(\/v[\d.]+)?\/(_ping|version|events|containers\/(json|\w+\/json))(\?|$)/.test(path);
    if (incoming.method !== 'GET' || !isAllowed) return void response.writeHead(403).end();
    const asked = request({ socketPath: '/var/run/docker.sock', path, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    asked.end();
  }).listen(listenOn, '0.0.0.0');
}
