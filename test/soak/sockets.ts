// WebSockets of a soak: each says something once a second, leaves after a while, and comes back when it was closed.

import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Ledger } from './ledger.ts';
import { patience } from './plan.ts';
import type { SoakNode } from './scene.ts';

export interface Sockets {
  close(): void;
}

/** `count` over all nodes. */
export function openSockets(nodes: readonly SoakNode[], count: number, ledger: Ledger): Sockets {
  const open = new Set<WebSocket>();
  const state = { going: true };
  for (let n = 0; n < count; n += 1) {
    // Lives of different length, so that they do not all come at once.
    const life = 20 + n * 3;
    setTimeout(() => live(nodes[n % nodes.length] as SoakNode, life, { open, ledger, state }), n * 20);
  }
  return {
    close() {
      state.going = false;
      for (const socket of open) socket.terminate();
    },
  };
}

interface Room {
  readonly open: Set<WebSocket>;
  readonly ledger: Ledger;
  readonly state: { going: boolean };
}

/** `life`: messages until it leaves by itself. */
function live(node: SoakNode, life: number, room: Room): void {
  if (!room.state.going) return;
  const { ledger, open, state } = room;
  const opened = performance.now();
  let wire: Socket | null = null;
  let port = 0;
  let isOpen = false;
  let asked = 0;
  let said = 0;
  let timer: NodeJS.Timeout | undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${node.gateway.port('web')}/socket`, {
    headers: { Host: 'soak.test' },
    handshakeTimeout: patience,
    createConnection: (options: object) => {
      const made = connect(options as { port: number; host: string });
      made.once('connect', () => void (port = made.localPort ?? 0));
      wire = made;
      return made;
    },
  });
  const fail = (what: string): void => {
    const since = wire === null || isOpen ? 0 : opened;
    if (state.going)
      ledger.fail({ at: performance.now(), node: node.name, kind: 'socket', what, port, opened: since });
  };
  open.add(socket);
  socket.on('open', () => {
    isOpen = true;
    timer = setInterval(() => {
      if (asked > 0) {
        if (performance.now() - asked < patience) return;
        fail('late');
        isOpen = false;
        socket.terminate();
      } else if (said >= life) socket.close(1000);
      else {
        asked = performance.now();
        socket.send(`${said}`);
      }
    }, 1_000);
  });
  socket.on('message', (data) => {
    if (String(data) !== String(said)) fail('another message');
    const count = ledger.of('socket');
    count.answered += 1;
    count.slowest = Math.max(count.slowest, performance.now() - asked);
    said += 1;
    asked = 0;
  });
  socket.on('unexpected-response', (request, response) => {
    fail(`handshake ${response.statusCode}`);
    request.destroy();
    socket.terminate();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (!isOpen && error.code !== undefined) fail(error.code);
  });
  socket.on('close', (code) => {
    clearInterval(timer);
    open.delete(socket);
    // 1000 is ours, 1001 says politely that the worker goes.
    if (isOpen && code !== 1000 && code !== 1001) fail(`closed ${code}`);
    setTimeout(() => live(node, life, room), 200);
  });
}
