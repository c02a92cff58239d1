// A client's HTTP/2 session once its connection is gone: nothing keeps it.

import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import type { Door } from '../../../../../src/proxy/entrypoints/node/door.ts';
import { Session } from '../../../../../src/proxy/entrypoints/node/http2-session.ts';
import { eventually } from '../../../../support/gateway.ts';
import { frame, frameTypes, openFrames } from '../../../../support/http2-frames.ts';

const transport = { idleTimeout: 180_000, readTimeout: 0, readHeaderTimeout: 0 };
const door = { entryPoint: { spec: { transport } } } as unknown as Door;

const ends: Readonly<Record<string, (session: ServerHttp2Session, own: Session) => Buffer>> = {
  'the protocol was broken': () => frame(frameTypes.data, 0, 0, Buffer.from('x')),
  'the client said GOAWAY': () => frame(frameTypes.goaway, 0, 0, Buffer.alloc(8)),
  'we said GOAWAY': (_, own) => {
    own.leave();
    return Buffer.alloc(0);
  },
  'it was destroyed': (session) => {
    session.destroy();
    return Buffer.alloc(0);
  },
};

for (const [name, end] of Object.entries(ends))
  test(`no timer keeps a session that is over: ${name}`, async (t) => {
    let opened: { readonly session: ServerHttp2Session; readonly own: Session } | null = null;
    let arriving: Socket | null = null;
    let kind: (new () => unknown) | null = null;
    const server = createServer();
    server.prependListener('connection', (socket: Socket) => (arriving = socket));
    server.on('sessionError', () => {});
    server.on('session', (session) => {
      kind = session.constructor as new () => unknown;
      if (arriving === null) return;
      opened = { session, own: new Session(session, { socket: arriving, secured: null }, door) };
      arriving = null;
    });
    await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
    t.after(() => server.close());
    for (let i = 0; i < 30; i++) {
      const client = await openFrames((server.address() as AddressInfo).port);
      await eventually('a session', () => opened !== null);
      const { session, own } = opened as unknown as { session: ServerHttp2Session; own: Session };
      opened = null;
      client.send(end(session, own));
      await client.closed();
    }
    assert.ok(kind !== null);
    const count = (): number => Number(queryObjects(kind as new () => unknown, { format: 'count' }));
    // The last ones may still be named by a frame that runs.
    await eventually('the sessions are collected', () => count() < 8);
  });
