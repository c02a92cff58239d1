// What a connection of ours makes of bytes, over a socket made of memory.

import { EventEmitter } from 'node:events';
import type { OnReadOpts, Socket } from 'node:net';
import type { GatewayError } from '../../../../../src/proxy/errors.ts';
import { Call } from '../../../../../src/proxy/upstream/http1/call.ts';
import {
  closed,
  Connection,
  type ConnectionOwner,
} from '../../../../../src/proxy/upstream/http1/connection.ts';
import type { Reading } from './oracle-llhttp.ts';

/** `parts` arrive one after the other, then the server closes. */
export function readOurs(parts: readonly string[], method: string): Reading & { error: GatewayError | null } {
  const seen = {
    verdict: 'error',
    status: 0,
    body: '',
    headers: [],
    isReusable: false,
    error: null,
  } as Reading & {
    error: GatewayError | null;
  };
  const handler = {
    onHead(status: number, headers: string[]): void {
      seen.status = status;
      seen.headers = headers;
    },
    onData(chunk: Uint8Array): boolean {
      seen.body += Buffer.from(chunk).toString('latin1');
      return true;
    },
    onEnd(): void {
      seen.verdict = 'end';
    },
    onError(error: GatewayError): void {
      seen.error = error;
    },
  };
  const socket = new MemorySocket();
  const owner = new Owner();
  const call = new Call({ method, path: '/', headers: ['host', 'x'], body: null }, handler, false);
  const dialler = {
    isTls: false,
    dial: (onread: OnReadOpts): Socket => {
      socket.onread = onread;
      return socket as unknown as Socket;
    },
  };
  const connection = new Connection(owner, dialler, call);
  socket.emit('connect');
  for (const part of parts) socket.receive(part);
  seen.isReusable = owner.rests && connection.state !== closed;
  if (connection.state !== closed) socket.emit('end');
  if (seen.verdict === 'error') seen.headers = [];
  return seen;
}

class Owner implements ConnectionOwner {
  rests = false;
  readonly keepsConnections = true;
  readonly dialTimeout = 0;
  readonly headTimeout = 0;
  rest(): void {
    this.rests = true;
  }
  gone(): void {
    this.rests = false;
  }
  tickIn(): number {
    return 0;
  }
}

class MemorySocket extends EventEmitter {
  onread: OnReadOpts | null = null;
  readonly errored = null;
  readonly writableLength = 0;
  destroyed = false;

  receive(text: string): void {
    if (this.destroyed || this.onread === null || text === '') return;
    const buffer = this.onread.buffer as Uint8Array;
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset).write(text, 'latin1');
    this.onread.callback(bytes, buffer);
  }
  write(): boolean {
    return true;
  }
  cork(): void {}
  uncork(): void {}
  resume(): void {}
  destroy(): void {
    this.destroyed = true;
  }
}
