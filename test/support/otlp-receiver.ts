// A collector of traces as a process of its own: what it got lies in a file, and it can be told to misbehave or killed.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeenSpan } from './otlp-message.ts';

/**
 * A status it answers with (gRPC: 200 is well, all else UNAVAILABLE); `hang`: accepts and never answers; `garbage`:
 * says yes with bytes that mean nothing; `drip`: an answer that never ends.
 */
export type OtlpBehaviour = number | 'hang' | 'garbage' | 'drip';

export interface OtlpReceiverOptions {
  /** `tcp` speaks neither: it hangs, or answers the first bytes with garbage. */
  readonly protocol: 'http' | 'grpc' | 'tcp';
  /** A free one unless given. */
  readonly port?: number;
  readonly behaviour?: OtlpBehaviour;
  /** PEM texts; with `ca` clients must show a certificate of it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** A message, as the process writes it down. */
export interface OtlpArrival {
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly SeenSpan[];
}

export interface OtlpReceiver {
  readonly port: number;
  /** Of the messages it answered with 200, so far. */
  readonly spans: SeenSpan[];
  /** Of all messages so far. */
  readonly headers: IncomingHttpHeaders[];
  behave(how: OtlpBehaviour): Promise<void>;
  /** At once and without a word: SIGKILL. */
  stop(): Promise<void>;
}

/** What the process is started with. */
export interface OtlpMainOptions extends OtlpReceiverOptions {
  readonly arrivals: string;
}

export function startOtlpHttp(): Promise<OtlpReceiver> {
  return startOtlp({ protocol: 'http' });
}

export async function startOtlp(options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-otlp-'));
  const arrivals = join(dir, 'arrivals.jsonl');
  writeFileSync(arrivals, '');
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = fork(new URL('./otlp-receiver-main.ts', import.meta.url), { env, execArgv: [] });
  child.send({ ...options, arrivals } satisfies OtlpMainOptions);
  const port = await answer(child);
  const seen = { spans: [] as SeenSpan[], headers: [] as IncomingHttpHeaders[] };
  const read = linesOf(arrivals, (line) => {
    const { headers, spans } = JSON.parse(line) as OtlpArrival;
    seen.headers.push(headers);
    seen.spans.push(...spans);
  });
  let isRunning = true;
  return {
    port,
    get spans() {
      if (isRunning) read();
      return seen.spans;
    },
    get headers() {
      if (isRunning) read();
      return seen.headers;
    },
    async behave(how) {
      child.send(how);
      await answer(child);
    },
    async stop() {
      if (!isRunning) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      read();
      isRunning = false;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function answer(child: ChildProcess): Promise<number> {
  const ending = new AbortController();
  const { signal } = ending;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('the collector ended');
  });
  try {
    return await Promise.race([once(child, 'message', { signal }).then(([port]) => port as number), ended]);
  } finally {
    ended.catch(() => {});
    ending.abort();
  }
}

/** Each call reads what was written since the last. */
function linesOf(file: string, take: (line: string) => void): () => void {
  let at = 0;
  let rest = '';
  const buffer = Buffer.alloc(256 * 1024);
  return () => {
    const descriptor = openSync(file, 'r');
    for (;;) {
      const count = readSync(descriptor, buffer, 0, buffer.length, at);
      if (count === 0) break;
      at += count;
      // Nothing but ASCII is written there.
      rest += buffer.toString('latin1', 0, count);
    }
    closeSync(descriptor);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
}
