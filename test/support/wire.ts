// Bytes on sockets for tests: servers that say exactly what they are told to, clients that show every byte.

import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually, type TestGateway } from './gateway.ts';

export interface WireServer {
  readonly url: string;
  readonly port: number;
  /** What each connection has sent so far, as latin1 text; in the order they came. */
  readonly connections: readonly WireConnection[];
  stop(): Promise<void>;
}

export interface WireConnection {
  readonly socket: Socket;
  text(): string;
}

/** A server that calls `onText` with all that a connection has sent so far, whenever more arrives. */
export async function startWireServer(
  onText: (socket: Socket, text: string, nth: number) => void,
): Promise<WireServer> {
  const connections: WireConnection[] = [];
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    let text = '';
    const nth = connections.length;
    connections.push({ socket, text: () => text });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      onText(socket, text, nth);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { socket } of connections) socket.destroy();
      }),
  };
}

export interface RawClient {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** All bytes so far, as latin1 text. */
  text(): string;
  readonly isClosed: boolean;
  /** Waits until the text matches. */
  until(pattern: RegExp, ms?: number): Promise<string>;
  /** Waits until the other side has closed; the whole text. */
  closed(ms?: number): Promise<string>;
  destroy(): void;
}

export async function openRaw(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', () => (isClosed = true));
  await new Promise<void>((resolve, reject) => socket.once('connect', () => resolve()).once('error', reject));
  const client: RawClient = {
    socket,
    write: (data) => void socket.write(data),
    text: () => text,
    get isClosed() {
      return isClosed;
    },
    async until(pattern, ms) {
      await eventually(
        `${String(pattern)} in ${JSON.stringify(text.slice(0, 400))}`,
        () => pattern.test(text),
        ms,
      );
      return text;
    },
    async closed(ms) {
      await eventually('the connection is closed', () => isClosed, ms);
      return text;
    },
    destroy: () => socket.destroy(),
  };
  return client;
}

/** One request on a connection of its own; everything that came back until the gateway closed. */
export async function exchangeRaw(port: number, path: string, extra = ''): Promise<string> {
  const client = await openRaw(port);
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n`);
  await client.until(/\r\n\r\n/);
  client.socket.end();
  return client.closed();
}

export type AccessLine = Readonly<Record<string, string | number>>;

/** Static configuration of an access log that `accessLines` reads. */
export const testAccessLog = { filePath: 'access.log', format: 'json' };

/** The access log's lines for one path so far. */
export function accessLines(gateway: TestGateway, path: string): AccessLine[] {
  let text = '';
  try {
    text = readFileSync(join(gateway.dir, 'access.log'), 'utf8');
  } catch {}
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as AccessLine)
    .filter((line) => String(line['RequestPath']).split('?')[0] === path);
}

/** The one line for `path`; fails when a second one comes within a moment after it. */
export async function accessLine(gateway: TestGateway, path: string): Promise<AccessLine> {
  await eventually(`an access log line for ${path}`, () => accessLines(gateway, path).length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const lines = accessLines(gateway, path);
  if (lines.length !== 1) throw new Error(`${lines.length} access log lines for ${path}`);
  return lines[0] as AccessLine;
}

/** Dynamic configuration: one router per path, each with a service of these server URLs. */
export function routesTo(targets: Readonly<Record<string, string | object>>): { http: object } {
  const routers: Record<string, object> = {};
  const services: Record<string, object> = {};
  for (const [name, target] of Object.entries(targets)) {
    routers[name] = { rule: `PathPrefix(\`/${name}\`)`, service: name };
    services[name] = {
      loadBalancer: typeof target === 'string' ? { servers: [{ url: target }] } : target,
    };
  }
  return { http: { routers, services } };
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) * 1024;
}
