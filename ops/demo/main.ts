// `npm run demo`: the platform in miniature behind the gateway, until Ctrl-C. Arguments go to the gateway.

import { demoUser } from './services/auth.ts';
import { type Demo, startDemo } from './start.ts';

const wanted = { web: portFrom('DEMO_PORT', 8090), api: portFrom('DEMO_API_PORT', 8091) };

const demo = await startDemo({ ports: wanted, verbose: true, flags: process.argv.slice(2) }).catch(
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
printGuide(demo);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    console.log('\nstopping…');
    void demo.stop().then(() => process.exit(0));
  });
}
const code = await demo.gateway.exited;
if (!stopping) {
  console.error(`the gateway exited with ${code}`);
  await demo.stop();
  process.exit(1);
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name] ?? String(fallback);
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  console.error(`${name}=${text}: expected a port number`);
  process.exit(2);
}

function printGuide(running: Demo): void {
  const url = running.gatewayUrl;
  sayIfMoved('DEMO_PORT', wanted.web, url);
  sayIfMoved('DEMO_API_PORT', wanted.api, running.apiUrl);
  const body = JSON.stringify(demoUser);
  const bearer = '-H "Authorization: Bearer $TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  const stream = "-H 'Accept: application/json, text/event-stream'";
  const initialize = `'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'`;
  const listTools = `'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'`;
  console.log(`
The demo platform is up, behind the gateway. User: ${demoUser.email}, password: ${demoUser.password}

gateway    ${url}
dashboard  ${running.apiUrl}/dashboard/
API        ${running.apiUrl}/api/http/routers

# public
curl ${url}/health
curl ${url}/auth/health

# a token
TOKEN=$(curl -s ${json} -d '${body}' ${url}/auth/login | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

# protected: 401 without the token
curl -i ${url}/api/v1/health
curl ${bearer} ${url}/api/v1/health
curl ${bearer} ${url}/admin
curl ${bearer} ${url}/admin/api/users

# CORS preflight
curl -i -X OPTIONS -H 'Origin: http://localhost:3000' -H 'Access-Control-Request-Method: GET' ${url}/api/v1/chat

# WebSocket: the handshake and the first status; Ctrl-C ends it
curl -i -N --max-time 3 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: cG9ydGN1bGxpcy1kZW1vIQ==' ${url}/ws/mcp-status --output -

# MCP over streamable HTTP
SESSION=$(curl -s -D - -o /dev/null ${bearer} ${json} -d ${initialize} ${url}/mcp/database | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: *\\([^[:space:]]*\\).*/\\1/p')
curl ${bearer} ${json} ${stream} -H "Mcp-Session-Id: $SESSION" -d ${listTools} ${url}/mcp/database

# revoked: the gateway forgets the token at once
curl -X POST ${bearer} ${url}/auth/logout
curl -i ${bearer} ${url}/api/v1/health

Ctrl-C stops everything.
`);
}

function sayIfMoved(name: string, port: number, url: string): void {
  if (port !== 0 && !url.endsWith(`:${port}`)) {
    console.log(`port ${port} is taken, using ${url} instead (${name} chooses another)`);
  }
}
