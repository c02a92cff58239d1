// Clients that ask without a pause, each on a connection of its own, and tell exactly what became of it.

import { connect, type Socket } from 'node:net';

export interface SteadyOptions {
  readonly port: number;
  /** 1 to 64. */
  readonly connections: number;
  readonly path?: string;
  /** A new connection after one was closed by the gateway or lost; otherwise its client stops there. */
  readonly reconnect?: boolean;
  /** A connection for each request. */
  readonly close?: boolean;
  /** Milliseconds between an answer and the next request; 0 unless said. */
  readonly pause?: number;
}

export interface Loss {
  /** The client's own port. */
  readonly port: number;
  /** `refused`: no connection; `unanswered`: no byte of the answer came; `cut`: some did. */
  readonly kind: 'refused' | 'unanswered' | 'cut';
  /** Requests answered before on this connection. */
  readonly answeredBefore: number;
  readonly reason: string;
}

export interface SteadyClients {
  /** Answers so far, by status. */
  readonly statuses: Record<number, number>;
  readonly losses: Loss[];
  /** Connections the gateway ended with nothing under way, or announced it would end. */
  farewells: number;
  /** Connections opened. */
  opened: number;
  /** Ports of the connections that are open now. */
  ports(): number[];
  answered(): number;
  /** Lets what is under way finish, at most 5 s. */
  stop(): Promise<void>;
}

export function startClients(options: SteadyOptions): SteadyClients {
  if (options.connections > 64) throw new RangeError('at most 64 connections');
  const open = new Set<Socket>();
  const state = { stopping: false };
  const clients: SteadyClients = {
    statuses: {},
    losses: [],
    farewells: 0,
    opened: 0,
    ports: () => [...open].map((socket) => socket.localPort ?? 0),
    answered: () => Object.values(clients.statuses).reduce((sum, n) => sum + n, 0),
    async stop() {
      state.stopping = true;
      const timer = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, 5_000);
      await Promise.all(running);
      clearTimeout(timer);
    },
  };
  const live = async (): Promise<void> => {
    do await oneConnection(options, clients, open, state);
    while (options.reconnect === true && !state.stopping);
  };
  const running = Array.from({ length: options.connections }, live);
  return clients;
}

interface State {
  stopping: boolean;
}

/** Settles when the connection has ended, whoever ended it. */
function oneConnection(
  options: SteadyOptions,
  clients: SteadyClients,
  open: Set<Socket>,
  state: State,
): Promise<void> {
  const closing = options.close === true;
  const text = `GET ${options.path ?? '/'} HTTP/1.1\r\nHost: steady.test\r\n${closing ? 'Connection: close\r\n' : ''}\r\n`;
  return new Promise((resolve) => {
    let buffer = '';
    let waiting = true;
    let connected = false;
    let answered = 0;
    let reason = 'closed';
    let port = 0;
    const socket = connect({ port: options.port, host: '127.0.0.1' });
    socket.setNoDelay(true);
    const farewell = (): void => {
      waiting = false;
      socket.end();
    };
    const ask = (): void => {
      if (state.stopping) return farewell();
      waiting = true;
      socket.write(text);
    };
    socket.on('connect', () => {
      connected = true;
      port = socket.localPort ?? 0;
      clients.opened += 1;
      open.add(socket);
      ask();
    });
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      const answer = readAnswer(buffer);
      if (answer === null) return;
      buffer = '';
      waiting = false;
      answered += 1;
      clients.statuses[answer.status] = (clients.statuses[answer.status] ?? 0) + 1;
      if (closing || answer.closes) {
        if (!closing) clients.farewells += 1;
        farewell();
      } else if ((options.pause ?? 0) > 0) setTimeout(() => socket.writable && ask(), options.pause);
      else ask();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    socket.on('end', () => {
      if (waiting) reason = 'ended';
      else if (!socket.writableEnded) clients.farewells += 1;
    });
    socket.on('close', () => {
      open.delete(socket);
      const kind = connected ? (buffer === '' ? 'unanswered' : 'cut') : 'refused';
      if (waiting) clients.losses.push({ port, kind, answeredBefore: answered, reason });
      resolve();
    });
  });
}

/** Null: not all of it is there. */
function readAnswer(text: string): { status: number; closes: boolean } | null {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return null;
  const headers = text.slice(0, head).toLowerCase();
  const body = text.slice(head + 4);
  const length = /\r\ncontent-length: (\d+)/.exec(headers)?.[1];
  const isWhole = length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length);
  return isWhole
    ? { status: Number(headers.slice(9, 12)), closes: headers.includes('\r\nconnection: close') }
    : null;
}
