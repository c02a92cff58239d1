// The servers behind a soak: two that are restarted in turn, two that stay, and the one that is asked who may pass.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { userCount } from './plan.ts';

/** Bytes of `/download`, written in pieces. */
export const downloadBytes = 256 * 1024;
/** Bytes of `/zip`. */
export const zipBytes = 20_000;

export interface Backend {
  readonly url: string;
  /** Cuts all there is, stays away for `ms`, and listens on the same port again. */
  restart(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Backends {
  /** Restarted. */
  readonly app: readonly [Backend, Backend];
  /** Never restarted. */
  readonly calm: readonly [Backend, Backend];
  readonly auth: Backend;
  /** Questions to the auth server so far. */
  questions(): number;
  stop(): Promise<void>;
}

export async function startBackends(): Promise<Backends> {
  const sessions = new Set<string>();
  const flaky = new Set<string>();
  const begun = (name: string): Promise<Backend> =>
    start((request, response) => answer(name, { sessions, flaky }, request, response));
  const [a, b, c, d] = await Promise.all([begun('a'), begun('b'), begun('c'), begun('d')]);
  let questions = 0;
  const auth = await start((request, response) => {
    questions += 1;
    decide(request, response);
  });
  return {
    app: [a, b],
    calm: [c, d],
    auth,
    questions: () => questions,
    async stop() {
      await Promise.all([a, b, c, d, auth].map((one) => one.stop()));
    },
  };
}

interface Known {
  readonly sessions: Set<string>;
  /** Requests that were dropped once and come again; at most what is under way. */
  readonly flaky: Set<string>;
}

const piece = Buffer.alloc(32 * 1024, 'download ');
const text = 'words that are worth packing '.repeat(1000).slice(0, zipBytes);

function answer(name: string, known: Known, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '/';
  if (request.method === 'POST') void takeUpload(request, response).catch(() => response.destroy());
  else if (path.startsWith('/download')) void sendDownload(response).catch(() => response.destroy());
  else if (path.startsWith('/zip')) response.setHeader('Content-Type', 'text/plain').end(text);
  else if (path.startsWith('/session')) answerSession(name, known.sessions, request, response);
  else if (path.startsWith('/flaky') && !known.flaky.delete(path)) {
    known.flaky.add(path);
    request.socket.destroy();
  } else if (path.startsWith('/page/')) response.end(`page ${path.slice(6)}`);
  else if (path.startsWith('/broken')) response.writeHead(500).end('broken');
  else response.end(`${name} ${request.headers['x-user-id'] ?? '-'}`);
}

async function takeUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha1');
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    hash.update(part);
    size += part.length;
  }
  response.end(`${size} ${hash.digest('hex')}`);
}

async function sendDownload(response: ServerResponse): Promise<void> {
  for (let sent = 0; sent < downloadBytes; sent += piece.length) {
    if (response.destroyed) return;
    response.write(piece);
    await wait(5);
  }
  response.end();
}

/** As a server of the Model Context Protocol does; all know each other's, or a restart would end them. */
function answerSession(
  name: string,
  sessions: Set<string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const id = request.headers['mcp-session-id'];
  if (id === undefined) {
    const made = `${name}-${sessions.size}-${Date.now()}`;
    sessions.add(made);
    response.setHeader('Mcp-Session-Id', made);
  } else if (!sessions.has(String(id))) response.statusCode = 404;
  response.end(name);
}

/** `Bearer user-3` is user 3; everybody else is nobody. */
function decide(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const user = /^Bearer user-(\d{1,2})$/.exec(request.headers.authorization ?? '')?.[1];
  if (user === undefined || Number(user) >= userCount) response.writeHead(401).end('who?');
  else response.writeHead(200, { 'X-User-Id': user }).end();
}

async function start(take: (request: IncomingMessage, response: ServerResponse) => void): Promise<Backend> {
  let [server, sockets] = await listen(take, 0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.terminate();
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    stop,
    async restart(ms) {
      await stop();
      await wait(ms);
      [server, sockets] = await listen(take, port);
    },
  };
}

async function listen(
  take: (request: IncomingMessage, response: ServerResponse) => void,
  port: number,
): Promise<[Server, WebSocketServer]> {
  const server = createServer(take);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(String(data)));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return [server, sockets];
}
