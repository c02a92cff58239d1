// One replica of the platform's API: health, an echo of who the gateway says is calling, a status WebSocket.

import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { type DemoService, HttpError, sendJson, startService } from './http.ts';

export interface Omni2Service extends DemoService {
  /** What `/health` answers from now on. */
  setHealthy(healthy: boolean): void;
}

const pushEveryMs = 1_000;
const maxMessageBytes = 65_536;

/** `replica` names it in answers, to show the balancing. */
export async function startOmni2(replica: string): Promise<Omni2Service> {
  let healthy = true;
  const service = await startService(replica, (request, response, url) => {
    if (url.pathname === '/health') {
      return sendJson(response, healthy ? 200 : 503, { status: healthy ? 'healthy' : 'unhealthy', replica });
    }
    if (!url.pathname.startsWith('/api/')) throw new HttpError(404, 'not found');
    return sendJson(response, 200, {
      replica,
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      user: userOf(request),
      forwarded: { for: request.headers['x-forwarded-for'], host: request.headers['x-forwarded-host'] },
    });
  });

  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  service.server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] !== '/ws/mcp-status') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => pushStatus(client, replica));
  });

  return {
    ...service,
    setHealthy: (next) => {
      healthy = next;
    },
    async stop() {
      for (const client of sockets.clients) client.terminate();
      await service.stop();
    },
  };
}

/** Status at once and each second; a message is answered with itself. */
function pushStatus(client: WebSocket, replica: string): void {
  let sequence = 0;
  const push = (): void => {
    sequence += 1;
    client.send(JSON.stringify({ type: 'mcp-status', replica, sequence, servers: { database_mcp: 'up' } }));
  };
  const timer = setInterval(push, pushEveryMs);
  client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
  client.on('close', () => clearInterval(timer));
  client.on('error', () => client.terminate());
  push();
}

function userOf(request: IncomingMessage): Readonly<Record<string, string | null>> {
  const one = (name: string): string | null => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  return { id: one('x-user-id'), username: one('x-user-username'), role: one('x-user-role') };
}
