// A server that answers wrongly by the request's path, and rightly to everybody else on the same connections.

import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type HostileAnswer, hostileAnswers, lateAnswers } from './hostile-answers.ts';

export interface OriginConnection {
  /** Of the requests it has brought, in their order. */
  readonly targets: string[];
  isClosed: boolean;
}

export interface HostileOrigin {
  readonly port: number;
  readonly connections: readonly OriginConnection[];
  /** Requests seen with this target. */
  seen(target: string): number;
  /** Requests seen on a connection after it had brought `target`. */
  after(target: string): number;
  /** Open connections that have brought `target`. */
  open(target: string): number;
  stop(): Promise<void>;
}

/** Bytes after which an endless answer gives up: far above every bound of the gateway. */
const endlessBytes = 8 * 1024 * 1024;

/**
 * `/wrong/<name>` is answered as the table says, `/cut/<part>` as `cutAnswer` does, all else with its own target.
 * `/auth` is an auth server's: it names the bearer, and to `wrong.<name>` says what the table says.
 */
export async function startHostileOrigin(
  answers: readonly HostileAnswer[] = [...hostileAnswers, ...lateAnswers],
): Promise<HostileOrigin> {
  const byName = new Map(answers.map((one) => [one.name, one]));
  const connections: OriginConnection[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    const connection: OriginConnection = { targets: [], isClosed: false };
    connections.push(connection);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      connection.isClosed = true;
      sockets.delete(socket);
    });
    readRequests(socket, (written, head) => {
      const target = targetOf(written, head);
      connection.targets.push(target);
      const wrong = target.startsWith('/wrong/') ? byName.get(target.slice('/wrong/'.length)) : undefined;
      if (wrong !== undefined) misbehave(socket, wrong);
      else if (target.startsWith('/cut/')) cutAnswer(socket, target.split('/').slice(2));
      else answerRightly(socket, target, head);
    });
  };
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const having = (target: string): OriginConnection[] =>
    connections.filter(({ targets }) => targets.includes(target));
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    seen: (target) =>
      connections.reduce((sum, { targets }) => sum + targets.filter((one) => one === target).length, 0),
    after: (target) =>
      having(target).reduce((sum, { targets }) => sum + targets.length - 1 - targets.indexOf(target), 0),
    open: (target) => having(target).filter(({ isClosed }) => !isClosed).length,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** An answer of each framing, for cutting it at every byte. */
export const cutBases: Readonly<Record<string, string>> = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
  chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n',
};

/** Calls `onRequest` at the end of each request's head; bodies are skipped. */
function readRequests(socket: Socket, onRequest: (target: string, head: string) => void): void {
  let text = '';
  let skip = 0;
  socket.on('data', (chunk: Buffer) => {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    text += chunk.toString('latin1', skipped);
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const rest = text.slice(end + 4);
      skip = Math.max(0, length - rest.length);
      text = rest.slice(length);
      onRequest(head.split(' ', 2)[1] ?? '', `${head}\r\n`);
    }
  });
  socket.on('end', () => socket.end());
}

function targetOf(target: string, head: string): string {
  const wrong = target === '/auth' ? /^wrong\.(.+)$/.exec(bearerOf(head)) : null;
  return wrong === null ? target : `/wrong/${wrong[1]}`;
}

function bearerOf(head: string): string {
  return /\r\nauthorization: bearer ([^\r]+)\r\n/i.exec(head)?.[1] ?? '';
}

/** Says target and user; with a length and in chunks by turns. */
function answerRightly(socket: Socket, target: string, head: string): void {
  const user = /\r\nx-user: ([^\r]+)\r\n/i.exec(head)?.[1];
  const body = user === undefined ? target : `${target}#${user}`;
  const fields = `X-Of: ${target}\r\nX-User: ${bearerOf(head)}\r\n\r\n`;
  if (body.length % 2 === 0)
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}${body}`);
  else {
    const size = body.length.toString(16);
    socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${fields}${size}\r\n${body}\r\n0\r\n\r\n`);
  }
}

function misbehave(socket: Socket, { pieces, finish, pause }: HostileAnswer): void {
  const writeAt = (at: number): void => {
    if (socket.destroyed) return;
    const piece = Buffer.from(pieces[at] ?? '', 'latin1');
    const isLast = at + 1 === pieces.length;
    const next = (): void => {
      if (!isLast) later(pause, () => writeAt(at + 1));
      else if (finish === 'repeat') repeat(socket, piece, pause);
      else if (finish === 'end') socket.end();
      else if (finish === 'reset') socket.resetAndDestroy();
    };
    if (piece.length === 0) next();
    else socket.write(piece, next);
  };
  writeAt(0);
}

function repeat(socket: Socket, piece: Buffer, pause: number): void {
  let left = endlessBytes;
  const again = (): void => {
    if (socket.destroyed || left <= 0) return;
    left -= piece.length;
    socket.write(piece, () => later(pause, again));
  };
  again();
}

function later(pause: number, act: () => void): void {
  if (pause === 0) setImmediate(act);
  else setTimeout(act, pause);
}

/** `/cut/<base>/<end|reset>/<bytes>` */
function cutAnswer(socket: Socket, [base, how, bytes]: readonly string[]): void {
  const part = (cutBases[base ?? ''] ?? '').slice(0, Number(bytes));
  const over = (): void => void (how === 'reset' ? socket.resetAndDestroy() : socket.end());
  if (part === '') over();
  else socket.write(part, over);
}
