// WebSocket load: echoes one after the other, or many sockets that stay open.

import { WebSocket } from 'ws';
import { memoryOf } from '../proc.ts';
import { pause } from '../processes.ts';
import type { Load } from '../scenario.ts';
import { Latencies } from './latencies.ts';

const openedAtOnce = 50;
const handshakeDeadlineMs = 10_000;
const echoDeadlineMs = 10_000;

/** Every socket sends the next message when the last one has come back. */
export function echoes(count: number, path: string, bytes: number): Load {
  return async (subject, { seconds }) => {
    const opened = await openSockets(subject.port, path, count);
    const latencies = new Latencies();
    const message = Buffer.alloc(bytes, 'x');
    let isOver = false;
    const startedAt = performance.now();
    for (const socket of opened.sockets) {
      let sentAt = performance.now();
      socket.on('message', () => {
        latencies.add(performance.now() - sentAt);
        if (isOver) return;
        sentAt = performance.now();
        socket.send(message);
      });
      socket.send(message);
    }
    await pause(seconds * 1_000);
    isOver = true;
    const taken = (performance.now() - startedAt) / 1_000;
    const lost = closeAll(opened.sockets);
    const errors = opened.errors + lost;
    return { driver: 'ws', requests: latencies.count, seconds: taken, errors, ...latencies.quantiles() };
  };
}

/** Memory of each open socket; one at a time echoes. */
export function openSocketsLoad(count: number, path: string): Load {
  return async (subject, { seconds }) => {
    const first = await openSockets(subject.port, path, openedAtOnce);
    const before = memoryOf(subject.pids(), 'VmRSS');
    const rest = await openSockets(subject.port, path, count - openedAtOnce);
    const grown = memoryOf(subject.pids(), 'VmRSS') - before;
    const figures = { 'KiB/socket': grown / 1_024 / Math.max(1, rest.sockets.length) };
    const sockets = [...first.sockets, ...rest.sockets];
    const latencies = new Latencies();
    const until = performance.now() + seconds * 1_000;
    let errors = first.errors + rest.errors;
    for (let at = 0; performance.now() < until; at = (at + 7_919) % Math.max(1, sockets.length)) {
      const socket = sockets[at];
      const ms = socket === undefined ? null : await echo(socket);
      if (ms === null) errors += 1;
      else latencies.add(ms);
      await pause(20);
    }
    errors += closeAll(sockets);
    const { count: requests } = latencies;
    return { driver: 'ws', isPaced: true, requests, seconds, errors, figures, ...latencies.quantiles() };
  };
}

interface Opened {
  readonly sockets: readonly WebSocket[];
  readonly errors: number;
}

async function openSockets(port: number, path: string, count: number): Promise<Opened> {
  const sockets: WebSocket[] = [];
  let errors = 0;
  for (let opened = 0; opened < count; opened += openedAtOnce) {
    const batch = Array.from({ length: Math.min(openedAtOnce, count - opened) }, () => openOne(port, path));
    for (const socket of await Promise.all(batch)) {
      if (socket === null) errors += 1;
      else sockets.push(socket);
    }
  }
  return { sockets, errors };
}

function openOne(port: number, path: string): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeDeadlineMs,
    });
    socket.once('open', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}

function echo(socket: WebSocket): Promise<number | null> {
  return new Promise((resolve) => {
    if (socket.readyState !== WebSocket.OPEN) return resolve(null);
    const startedAt = performance.now();
    const timer = setTimeout(() => resolve(null), echoDeadlineMs);
    socket.once('message', () => {
      clearTimeout(timer);
      resolve(performance.now() - startedAt);
    });
    socket.send('trickle');
  });
}

/** How many had been closed before, by somebody else. */
function closeAll(sockets: readonly WebSocket[]): number {
  const lost = sockets.filter((socket) => socket.readyState !== WebSocket.OPEN).length;
  for (const socket of sockets) socket.terminate();
  return lost;
}
