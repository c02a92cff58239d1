// Many hostile connections at once, and a bystander who must be served all the while.

import { readFileSync, readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestGateway } from './gateway.ts';
import { residentBytes } from './wire.ts';

export interface SiegeReport {
  readonly answered: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly slowest: number;
  /** Bytes resident in the worker that had most. */
  readonly before: number;
  readonly peak: number;
  /** One row for the table of attacks. */
  readonly row: string;
}

export interface Siege {
  /** Bytes per connection, at this moment, beyond what the worker had before. */
  perConnection(connections: number): number;
  /** Ends the bystander; `name` is the row's. */
  stop(name: string): Promise<SiegeReport>;
}

export interface SiegeOptions {
  readonly path: string;
  readonly entryPoint?: string;
  /** Milliseconds a bystander waits for an answer. */
  readonly patience?: number;
}

/** One keep-alive client and one with a connection for each request, ten requests a second each, until `stop`. */
export function besiege(gateway: TestGateway, options: SiegeOptions): Siege {
  const { path, entryPoint = 'web', patience = 5_000 } = options;
  const workers = gateway.workerPids();
  const resident = (): number => Math.max(...workers.map(residentBytes));
  const before = resident();
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, resident())), 100);
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  let isOver = false;
  let answered = 0;
  const failures: string[] = [];
  let slowest = 0;
  const drive = async (agent: Agent | false): Promise<void> => {
    while (!isOver) {
      const started = performance.now();
      const failure = await askOnce({ port: gateway.port(entryPoint), path, agent, patience });
      slowest = Math.max(slowest, performance.now() - started);
      if (failure === null) answered += 1;
      else failures.push(failure);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const driving = Promise.all([drive(kept), drive(false)]);
  return {
    perConnection: (connections) => (resident() - before) / connections,
    async stop(name) {
      isOver = true;
      await driving;
      clearInterval(sampler);
      kept.destroy();
      const failed = failures.length;
      const row = `${name} | ${answered} answered, ${failed} failed | ${Math.round(slowest)} ms | ${mb(before)} → ${mb(peak)}`;
      process.stderr.write(`${row}${failed === 0 ? '' : ` ${failures.slice(0, 3).join(', ')}`}\n`);
      return { answered, failed, slowest, before, peak, row };
    },
  };
}

/** Opens `count` connections, in bunches so that none is lost in a queue; each is told about by `opened`. */
export async function openMany(
  port: number,
  count: number,
  opened: (socket: Socket, nth: number) => void,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const bunch = Array.from({ length: Math.min(250, count - sockets.length) }, () =>
      connect(port, '127.0.0.1'),
    );
    const settled = bunch.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => resolve());
          socket.once('connect', () => resolve());
        }),
    );
    await Promise.all(settled);
    for (const socket of bunch) opened(socket, sockets.push(socket) - 1);
  }
  return sockets;
}

/** As many as this process may open, the gateway too, and loudly fewer where `wanted` is too many. */
export function affordable(wanted: number): number {
  const limit = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024,
  );
  const most = limit - 600;
  if (most >= wanted) return wanted;
  process.stderr.write(
    `!! ONLY ${most} CONNECTIONS, NOT ${wanted}: raise the limit of open files (ulimit -n)\n`,
  );
  return most;
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly agent: Agent | false;
  readonly patience: number;
}

/** Null, or what went wrong. */
function askOnce({ port, path, agent, patience }: Asked): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? null : String(response.statusCode)));
      response.on('error', (error) => resolve(error.message));
    });
    asked.setTimeout(patience, () => asked.destroy(new Error('no answer in time')));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}
