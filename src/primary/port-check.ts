// Whether every entry point's port can be had, asked before any worker exists.

import { type AddressInfo, createServer, type Server } from 'node:net';
import type { EntryPointSpec } from '../model/entry-point.ts';

/**
 * What is in the way of the first entry point that cannot listen, or null. Workers share their ports with
 * SO_REUSEPORT, so a second gateway of the same user would silently take half of the connections: only a
 * socket without that option finds out.
 */
export async function portInTheWay(entryPoints: readonly EntryPointSpec[]): Promise<string | null> {
  for (const point of entryPoints) {
    if (point.port === 0) continue;
    const code = await tryPort(point.host, point.port);
    if (code !== null) return listenProblem(point, code);
  }
  return null;
}

/** One line that names the entry point, its address and the reason. */
export function listenProblem(point: EntryPointSpec, reason: string): string {
  const address = `${point.host.includes(':') ? `[${point.host}]` : point.host}:${point.port}`;
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the address is already in use',
    EACCES: 'no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)',
    EADDRNOTAVAIL: 'this machine does not have that address',
  };
  return `entry point ${point.name} cannot listen on ${address}: ${known[reason] ?? reason}`;
}

/**
 * The same entry points with a free port where port 0 was written: every worker must listen on the same one.
 * Another program may take it before they do; they say so then.
 */
export async function withPorts(entryPoints: readonly EntryPointSpec[]): Promise<EntryPointSpec[]> {
  const held: Server[] = [];
  const chosen: EntryPointSpec[] = [];
  for (const point of entryPoints) {
    const server = point.port === 0 ? await hold(point.host) : null;
    if (server !== null) held.push(server);
    chosen.push(server === null ? point : { ...point, port: (server.address() as AddressInfo).port });
  }
  // Held until all are chosen, so that no two get the same.
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return chosen;
}

/** Null when nothing can be bound: the worker that tries next tells why. */
function hold(host: string): Promise<Server | null> {
  return new Promise((resolve) => {
    // A connection that is not ended would keep the port from being released.
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ port: 0, exclusive: true, ...(host === '' ? {} : { host }) }, () => resolve(server));
  });
}

/** Null when the port is free; otherwise the error's code. */
export function tryPort(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => {
      server.close(() => resolve(null));
    });
  });
}
