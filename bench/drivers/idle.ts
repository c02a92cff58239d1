// Many connections that are open and hardly ask: what each of them costs in memory.

import { memoryOf } from '../proc.ts';
import { pause } from '../processes.ts';
import type { Load } from '../scenario.ts';
import { type Connection, openConnection } from './keep-alive.ts';
import { Latencies } from './latencies.ts';

/** At once while they are opened: more would overflow a backlog. */
const openedAtOnce = 100;
const trickleMs = 20;
const warmRequests = 100;

export function idleConnections(count: number, path: string): Load {
  return async (subject, { seconds }) => {
    const connections: Connection[] = [];
    let errors = 0;
    try {
      // The first ones pay for what is there only once: compiled code, connections to the server.
      await open(subject.port, path, { count: openedAtOnce, into: connections });
      await warm(connections);
      const before = memoryOf(subject.pids(), 'VmRSS');
      errors += await open(subject.port, path, { count: count - openedAtOnce, into: connections });
      const grown = memoryOf(subject.pids(), 'VmRSS') - before;
      const figures = { 'KiB/connection': grown / 1_024 / Math.max(1, connections.length - openedAtOnce) };
      return {
        driver: 'own',
        isPaced: true,
        seconds,
        figures,
        ...(await trickle(connections, seconds, errors)),
      };
    } finally {
      for (const connection of connections) connection.close();
    }
  };
}

async function warm(connections: readonly Connection[]): Promise<void> {
  for (let asked = 0; asked < warmRequests; asked += 1) {
    await Promise.all(connections.map((connection) => connection.ask()));
  }
}

interface Opening {
  readonly count: number;
  readonly into: Connection[];
}

async function open(port: number, path: string, { count, into }: Opening): Promise<number> {
  let errors = 0;
  for (let opened = 0; opened < count; opened += openedAtOnce) {
    const batch = Array.from({ length: Math.min(openedAtOnce, count - opened) }, async () => {
      const connection = await openConnection(port, path);
      into.push(connection);
      await connection.ask();
    });
    for (const settled of await Promise.allSettled(batch)) if (settled.status === 'rejected') errors += 1;
  }
  return errors;
}

async function trickle(connections: readonly Connection[], seconds: number, earlier: number) {
  const latencies = new Latencies();
  const until = performance.now() + seconds * 1_000;
  let errors = earlier;
  for (let at = 0; performance.now() < until; at = (at + 7_919) % Math.max(1, connections.length)) {
    await connections[at]?.ask().then(
      (ms) => latencies.add(ms),
      () => (errors += 1),
    );
    await pause(trickleMs);
  }
  return { requests: latencies.count, errors, ...latencies.quantiles() };
}
