// What the examples' services share: a server, JSON out, a short body in.

import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

/** A service by the name it gives itself in answers. */
export type Kind = (name: string) => Handler;

const maxBodyBytes = 65_536;

/** Listens on all addresses: in a container others have to reach it. */
export async function startService(port: number, handler: Handler, name: string): Promise<void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://service');
    Promise.resolve(handler(request, response, url)).catch(() => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: 'internal error' });
    });
  });
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(greeting(headerOf(request, 'sec-websocket-key') ?? '', name));
  });
  server.listen(port);
  await once(server, 'listening');
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** The body as JSON, at most 64 KiB; null when it is none. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBodyBytes) return null;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return null;
  }
}

/** One value of a header, or null. */
export function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}

/** The handshake of a WebSocket, one text message that says who speaks, and the closing one (RFC 6455). */
function greeting(key: string, name: string): Buffer {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  const text = Buffer.from(JSON.stringify({ type: 'status', server: name.slice(0, 64) }));
  return Buffer.concat([
    Buffer.from([...head, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n')),
    Buffer.from([0x81, text.length]),
    text,
    Buffer.from([0x88, 2, 0x03, 0xe8]),
  ]);
}
