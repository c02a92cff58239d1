// A server that writes down every request it gets, and what of it could be read in more than one way.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { type RecordedRequest, StrictReader } from './strict-request.ts';

export interface StrictRecorder {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** All that came, whole or cut off, in the order it ended. */
  readonly requests: readonly RecordedRequest[];
  stop(): Promise<void>;
}

/** Milliseconds the answer to an upgrade is held back: whatever comes meanwhile came too early. */
const handshakePause = 30;

/** Answers each request with its own target, so that a client sees whose answer it got. Never switches protocols. */
export async function startStrictRecorder(): Promise<StrictRecorder> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, requests);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(socket: Socket, requests: RecordedRequest[]): void {
  const reader = new StrictReader();
  let isWaiting = false;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const request = reader.feed(chunk.toString('latin1')) ?? (isWaiting ? reader.cutOff() : null);
    if (request === null) return;
    requests.push(isWaiting ? { ...request, flaws: [...request.flaws, 'sent before its turn'] } : request);
    if (isWaiting || request.flaws.length > 0) {
      socket.destroy();
      return;
    }
    isWaiting = request.fields.includes('upgrade');
    const answer = (): void => {
      isWaiting = false;
      socket.write(answerTo(request), 'latin1');
    };
    if (isWaiting) setTimeout(answer, handshakePause);
    else answer();
  });
  socket.on('close', () => {
    const rest = reader.cutOff();
    if (rest !== null) requests.push(rest);
  });
}

function answerTo({ method, target }: RecordedRequest): string {
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${target.length}\r\n\r\n`;
  return method === 'HEAD' ? head : head + target;
}
