// A real HTTP server for tests: remembers what it was asked and answers what it is told to.

import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** Path with query, as it arrived. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they arrived, alternating. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
) => void | Promise<void>;

export interface Origin {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** Answers from now on; by default 200 with `name` as the body. */
  answerWith(answer: Answer): void;
  stop(): Promise<void>;
}

export interface OriginOptions {
  readonly name?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly answer?: Answer;
  /** Bodies are kept up to this many bytes; default 1 MiB. */
  readonly maxBody?: number;
}

/** Starts an origin on 127.0.0.1. The caller stops it. */
export async function startOrigin(options: OriginOptions = {}): Promise<Origin> {
  const name = options.name ?? 'origin';
  const requests: SeenRequest[] = [];
  let answer: Answer = options.answer ?? ((_request, response) => void response.end(name));
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, options.maxBody ?? 1_048_576);
    requests.push({
      method: request.method ?? '',
      target: request.url ?? '',
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body,
    });
    await answer(request, response, body);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const port = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    answerWith: (next) => {
      answer = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Waits until `check` gives something truthy; throws naming `what` after `timeout` milliseconds. */
export async function waitFor<T>(
  what: string,
  check: () => T | Promise<T>,
  timeout = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    if (size < limit) parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts).toString('utf8').slice(0, limit);
}
