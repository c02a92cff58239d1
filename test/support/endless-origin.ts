// A server in a process of its own, so that what it pours does not slow down the test: `/endless` without end, what
// ends in `/huge` 1 GiB, all else `ok`.

import { fork } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface EndlessOrigin {
  readonly url: string;
  stop(): void;
}

export async function startEndlessOrigin(): Promise<EndlessOrigin> {
  const child = fork(fileURLToPath(import.meta.url), { stdio: 'ignore', execArgv: [] });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', () => reject(new Error('the origin ended at its start')));
  });
  return { url: `http://127.0.0.1:${port}`, stop };
}

function serve(): void {
  const server = createServer((request, response) => {
    request.resume().on('error', () => {});
    if (request.url === '/endless') pour(response, Infinity);
    else if (request.url?.endsWith('/huge') === true) pour(response, 1024 ** 3);
    else response.end('ok');
  });
  process.once('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

/** As fast as it is read. */
function pour(response: ServerResponse, total: number): void {
  const piece = Buffer.alloc(64 * 1024);
  let left = total;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    if (left <= 0) response.end();
  };
  response.on('drain', more);
  response.on('error', () => {});
  more();
}

if (import.meta.main) serve();
