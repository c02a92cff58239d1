// A bit of everything for a long time, at a pace every proxy can keep: what it holds in memory at the end.

import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import { memoryOf } from '../proc.ts';
import { pause } from '../processes.ts';
import type { Load, Subject } from '../scenario.ts';
import { median, trend } from '../statistics.ts';
import type { HttpRequest } from './http.ts';
import { Latencies } from './latencies.ts';

export interface MixedLoad {
  /** Asked in turn by every client; `Authorization` gets a number that goes round. */
  readonly requests: readonly HttpRequest[];
  readonly clients: number;
  readonly sockets: number;
  readonly socketPath: string;
}

const clientPauseMs = 4;
const socketPauseMs = 20;
const socketBytes = 512;
const reopenMs = 100;
const deadlineMs = 10_000;
/** Tokens of the guarded route: a cache of decisions is to be filled, and to throw away. */
const tokens = 20_000;
const leastLooks = 30;
/** Of the looks: until then caches and heaps find their size. */
const settling = 1 / 3;

/** Runs for `round.minutes`. */
export function mixedLoad(load: MixedLoad): Load {
  return async (subject, { minutes }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: load.clients });
    const state: State = { isOver: false, errors: 0, latencies: new Latencies(), agent, token: 0 };
    const startedAt = performance.now();
    const work = [
      ...Array.from({ length: load.clients }, (_, i) => runClient(subject.port, load.requests, i, state)),
      ...Array.from({ length: load.sockets }, () => runSocket(subject.port, load.socketPath, state)),
    ];
    const rss = await watchMemory(subject, minutes * 60_000);
    state.isOver = true;
    const seconds = (performance.now() - startedAt) / 1_000;
    await Promise.all(work);
    agent.destroy();
    const { latencies, errors } = state;
    const figures = figuresOf(rss, minutes);
    const { count: requests } = latencies;
    return {
      driver: 'own',
      isPaced: true,
      requests,
      seconds,
      errors,
      figures,
      rss,
      ...latencies.quantiles(),
    };
  };
}

/** MiB at the end, and its growth by minute once the caches have their size. */
export function figuresOf(rss: readonly number[], minutes: number): Readonly<Record<string, number>> {
  const settled = rss.slice(Math.floor(rss.length * settling));
  const looksPerMinute = rss.length / minutes;
  return {
    'RSS MiB': median(settled.slice(-5)) ?? 0,
    'MiB/min growth': (trend(settled) ?? 0) * looksPerMinute,
  };
}

async function watchMemory(subject: Subject, ms: number): Promise<readonly number[]> {
  const looks = Math.max(leastLooks, Math.round(ms / 2_000));
  const rss: number[] = [];
  const startedAt = performance.now();
  for (let look = 1; look <= looks; look += 1) {
    await pause(Math.max(0, startedAt + (ms * look) / looks - performance.now()));
    const pids = subject.pids();
    if (pids.length === 0) throw new Error('it ended while it was measured');
    rss.push(Math.round((memoryOf(pids, 'VmRSS') / 1_048_576) * 100) / 100);
  }
  return rss;
}

interface State {
  isOver: boolean;
  errors: number;
  readonly latencies: Latencies;
  readonly agent: Agent;
  token: number;
}

async function runClient(
  port: number,
  requests: readonly HttpRequest[],
  first: number,
  state: State,
): Promise<void> {
  for (let turn = first; !state.isOver; turn += 1) {
    const one = requests[turn % requests.length];
    const startedAt = performance.now();
    const isGood = one !== undefined && (await ask(port, one, state));
    if (isGood) state.latencies.add(performance.now() - startedAt);
    else state.errors += 1;
    await pause(clientPauseMs);
  }
}

function ask(port: number, one: HttpRequest, state: State): Promise<boolean> {
  return new Promise((resolve) => {
    const { path, method = 'GET', bytes } = one;
    const headers: Record<string, string> = { Host: 'bench', ...one.headers };
    if (headers['Authorization'] !== undefined) headers['Authorization'] += state.token++ % tokens;
    const options = { host: '127.0.0.1', port, path, method, headers, agent: state.agent };
    const sent = request(options, (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode === 200 && answer.complete));
    });
    sent.setTimeout(deadlineMs, () => sent.destroy());
    sent.once('error', () => resolve(false));
    sent.end(bytes === undefined ? undefined : Buffer.alloc(bytes, 'x'));
  });
}

/** Opened again when it breaks; every break is an error. */
async function runSocket(port: number, path: string, state: State): Promise<void> {
  const message = Buffer.alloc(socketBytes, 'x');
  while (!state.isOver) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
    const closed = new Promise<void>((resolve) => socket.once('close', resolve));
    let sentAt = 0;
    let timer: NodeJS.Timeout | undefined;
    const send = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return;
      sentAt = performance.now();
      socket.send(message);
    };
    socket.on('error', () => undefined);
    socket.on('open', send);
    socket.on('message', () => {
      state.latencies.add(performance.now() - sentAt);
      timer = setTimeout(send, socketPauseMs);
    });
    while (!state.isOver && socket.readyState <= WebSocket.OPEN) await pause(reopenMs);
    if (!state.isOver) state.errors += 1;
    clearTimeout(timer);
    socket.terminate();
    await closed;
  }
}
