// One plain keep-alive connection that asks when it is told to: made for thousands of them.

import { connect, type Socket } from 'node:net';

const answerDeadlineMs = 30_000;

export interface Connection {
  /** Milliseconds until the answer; rejects when the connection breaks, or says other than 200. */
  ask(): Promise<number>;
  /** False once the other side has said farewell. */
  readonly isOpen: boolean;
  close(): void;
}

/** Answers must come with their whole head in one piece and a body no longer than that piece: small ones. */
export async function openConnection(port: number, path: string): Promise<Connection> {
  const socket = await connected(port);
  const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  let waiting: { readonly done: (text: string) => void; readonly lost: (error: Error) => void } | null = null;
  socket.on('data', (data: Buffer) => waiting?.done(data.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('timeout', () => socket.destroy());
  socket.on('close', () => waiting?.lost(new Error('connection lost')));
  return {
    async ask() {
      const startedAt = performance.now();
      const answer = new Promise<string>((done, lost) => (waiting = { done, lost }));
      if (socket.destroyed) throw new Error('connection lost');
      socket.setTimeout(answerDeadlineMs);
      socket.write(request);
      const text = await answer.finally(() => (waiting = null));
      socket.setTimeout(0);
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(`answered ${text.slice(9, 12)}`);
      return performance.now() - startedAt;
    },
    get isOpen() {
      return socket.readyState === 'open';
    },
    close: () => void socket.destroy(),
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
