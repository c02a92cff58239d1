// How a soak asks: over HTTP/1.1 with and without keep-alive, over TLS, over HTTP/2, always with a deadline.

import { Agent, type ClientRequest, type IncomingMessage, request as askHttp } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent as SecureAgent, request as askHttps } from 'node:https';
import type { Socket } from 'node:net';
import { patience } from './plan.ts';

export interface Question {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly keep?: boolean;
  /** Leaves after the first byte of the answer, or in the middle of the upload. */
  readonly leaves?: boolean;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Why there is no whole answer. */
export class Unanswered extends Error {
  /** An error's code, or `cut`, or `late`. */
  readonly what: string;
  /** The client's port; 0 when there was no connection. */
  readonly port: number;
  /** `performance.now()` when the connection was asked for; 0 for a kept one. */
  readonly opened: number;
  /** A GET on a kept connection that was dead: every client asks again. */
  readonly isDeadConnection: boolean;

  constructor(what: string, port: number, opened: number, isDeadConnection: boolean) {
    super(what);
    this.what = what;
    this.port = port;
    this.opened = opened;
    this.isDeadConnection = isDeadConnection;
  }
}

export interface Client {
  plain(question: Question): Promise<Got>;
  secure(question: Question): Promise<Got>;
  /** GET. */
  http2(question: Question): Promise<Got>;
  close(): void;
}

export interface Doors {
  readonly web: number;
  readonly tls: number;
  readonly h2: number;
}

export function openClient(doors: Doors, root: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 24 });
  const secureAgent = new SecureAgent({ keepAlive: true, maxSockets: 8 });
  const fresh = { keepAlive: false, maxSockets: 64 };
  const [once, secureOnce] = [new Agent(fresh), new SecureAgent({ ...fresh, maxCachedSessions: 0 })];
  let session: ClientHttp2Session | null = null;
  const common = (question: Question, port: number): object => ({
    host: '127.0.0.1',
    port,
    method: question.method ?? 'GET',
    path: question.path,
    headers: { Host: 'soak.test', ...question.headers },
  });
  return {
    plain: async (question) =>
      await exchange(question, (take) =>
        askHttp({ ...common(question, doors.web), agent: question.keep === true ? agent : once }, take),
      ),
    secure: async (question) =>
      await exchange(question, (take) =>
        askHttps(
          {
            ...common(question, doors.tls),
            agent: question.keep === true ? secureAgent : secureOnce,
            ca: root,
            servername: 'soak.test',
          },
          take,
        ),
      ),
    async http2(question) {
      if (session === null || session.closed || session.destroyed) {
        const made = connectHttp2(`https://127.0.0.1:${doors.h2}`, { ca: root, servername: 'soak.test' });
        // What a lost connection means is told by its streams.
        made.on('error', () => {});
        made.on('goaway', () => made.close());
        session = made;
      }
      return await onStream(session, question);
    },
    close() {
      for (const one of [agent, secureAgent, once, secureOnce]) one.destroy();
      session?.destroy();
    },
  };
}

function exchange(
  question: Question,
  ask: (take: (response: IncomingMessage) => void) => ClientRequest,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = performance.now();
    let port = 0;
    let response: IncomingMessage | null = null;
    const fail = (what: string): void => {
      clearTimeout(late);
      const isReused = sending.reusedSocket;
      const isDead = isReused && response === null && question.body === undefined && /RESET|PIPE/.test(what);
      reject(new Unanswered(what, port, isReused ? 0 : asked, isDead));
      sending.destroy();
    };
    const done = (body: Buffer): void => {
      clearTimeout(late);
      resolve({ status: response?.statusCode ?? 0, headers: response?.headers ?? {}, body });
      if (question.leaves === true) sending.destroy();
    };
    const late = setTimeout(() => fail('late'), patience);
    const sending = ask((come) => {
      response = come;
      const parts: Buffer[] = [];
      come.on('data', (part: Buffer) => {
        parts.push(part);
        if (question.leaves === true) done(part);
      });
      come.on('end', () => (come.complete ? done(Buffer.concat(parts)) : fail('cut')));
      come.on('error', () => fail('cut'));
    });
    const know = (socket: Socket): void => void (port = socket.localPort ?? port);
    sending.on('socket', (socket) => {
      know(socket);
      if (socket.connecting) socket.once('connect', () => know(socket));
    });
    sending.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    if (question.leaves === true && question.body !== undefined) {
      sending.write(question.body, () => done(Buffer.alloc(0)));
    } else sending.end(question.body);
  });
}

function onStream(session: ClientHttp2Session, question: Question): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = session.connecting ? performance.now() : 0;
    const port = (): number => (session.destroyed ? 0 : (session.socket.localPort ?? 0));
    const known = port();
    let status = 0;
    const parts: Buffer[] = [];
    const fail = (what: string): void => {
      clearTimeout(late);
      reject(new Unanswered(status > 0 ? 'cut' : what, known, asked, status === 0 && what !== 'late'));
    };
    const late = setTimeout(() => {
      fail('late');
      stream.destroy();
    }, patience);
    const stream = session.request({
      ':path': question.path,
      ':authority': 'soak.test',
      ...question.headers,
    });
    stream.on('response', (headers) => void (status = Number(headers[':status'])));
    stream.on('data', (part: Buffer) => void parts.push(part));
    stream.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    stream.on('end', () => {
      if (status === 0) return;
      clearTimeout(late);
      resolve({ status, headers: {}, body: Buffer.concat(parts) });
    });
    stream.on('close', () => fail('closed'));
    stream.end();
  });
}
