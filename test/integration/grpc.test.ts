// gRPC through the gateway, with the client and the server of @grpc/grpc-js: over TLS and in cleartext.

import assert from 'node:assert/strict';
import {
  Client,
  credentials,
  type MethodDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
  status,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/gateway.ts';
import { makeAuthority, type Authority } from '../support/pki.ts';
import { openTlsBench, type TlsBench } from '../support/tls-bench.ts';

const same = (bytes: Buffer): Buffer => bytes;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

const echo = {
  Unary: method('Unary', false, false),
  Down: method('Down', false, true),
  Up: method('Up', true, false),
  Both: method('Both', true, true),
};

describe('gRPC', { timeout: 60_000 }, () => {
  let pki: Authority;
  let server: Server;
  let bench: TlsBench;
  let cancelled = 0;
  const clients: Client[] = [];

  before(async () => {
    pki = makeAuthority();
    server = new Server();
    server.addService(echo, {
      Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        call.on('cancelled', () => (cancelled += 1));
        const text = call.request.toString();
        if (text === 'hang') return;
        const trailer = new Metadata();
        trailer.set('x-trailer', 'at the end');
        trailer.set('x-bytes-bin', Buffer.from([0, 255, 1]));
        if (text.startsWith('fail'))
          done({
            code: status.FAILED_PRECONDITION,
            details: 'not yet: é %',
            metadata: trailer,
          } as Partial<ServiceError>);
        else {
          const head = new Metadata();
          head.set('x-head', String(call.metadata.get('x-from')[0] ?? ''));
          call.sendMetadata(head);
          done(null, Buffer.concat([Buffer.from('you said '), call.request]), trailer);
        }
      },
      Down(call: ServerWritableStream<Buffer, Buffer>) {
        call.on('cancelled', () => (cancelled += 1));
        const count = Number(call.request.toString());
        let sent = 0;
        const more = (): void => {
          while (sent < count) if (!call.write(Buffer.alloc(10_000, String((sent += 1) % 10)))) return;
          call.end();
        };
        call.on('drain', more);
        more();
      },
      Up(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        let bytes = 0;
        call.on('data', (chunk: Buffer) => (bytes += chunk.length));
        call.on('end', () => done(null, Buffer.from(String(bytes))));
      },
      Both(call: ServerDuplexStream<Buffer, Buffer>) {
        call.on('cancelled', () => (cancelled += 1));
        call.on('data', (chunk: Buffer) => call.write(chunk));
        call.on('end', () => call.end());
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, got) =>
        error === null ? resolve(got) : reject(error),
      ),
    );
    bench = await openTlsBench({
      side: 'both',
      certificates: [pki.issue(['localhost'])],
      routes: { echo: `h2c://127.0.0.1:${port}` },
    });
  });
  after(async () => {
    for (const client of clients) client.close();
    await bench?.close();
    server?.forceShutdown();
    pki?.close();
  });

  function open(kind: 'tls' | 'cleartext'): Client {
    const trust =
      kind === 'tls' ? credentials.createSsl(Buffer.from(pki.root)) : credentials.createInsecure();
    // One connection of its own.
    const client = new Client(`localhost:${bench.port}`, trust, { 'grpc.use_local_subchannel_pool': 1 });
    clients.push(client);
    return client;
  }

  function unary(client: Client, text: string, deadline = Date.now() + 10_000): Promise<Called> {
    const metadata = new Metadata();
    metadata.set('x-from', 'client');
    return new Promise((resolve) => {
      const called: Called = { error: null, answer: '', head: null, end: null };
      let open = 2;
      const done = (): void => void (--open === 0 && resolve(called));
      const { path, requestSerialize, responseDeserialize } = echo.Unary;
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        Buffer.from(text),
        metadata,
        { deadline },
        (error, value) => {
          called.error = error;
          called.answer = value?.toString() ?? '';
          done();
        },
      );
      call.on('metadata', (head: Metadata) => (called.head = head));
      call.on('status', (end: StatusObject) => {
        called.end = end;
        done();
      });
    });
  }

  for (const kind of ['tls', 'cleartext'] as const) {
    describe(`over ${kind}`, () => {
      test('a unary call with metadata both ways', async () => {
        const { error, answer, head, end } = await unary(open(kind), 'hello');
        assert.equal(error, null);
        assert.equal(answer, 'you said hello');
        assert.deepEqual(head?.get('x-head'), ['client']);
        assert.deepEqual(end?.metadata.get('x-trailer'), ['at the end']);
        assert.deepEqual(end?.metadata.get('x-bytes-bin'), [Buffer.from([0, 255, 1])]);
      });

      test('an error with its code, details and trailers', async () => {
        const { error, end } = await unary(open(kind), 'fail');
        assert.equal(error?.code, status.FAILED_PRECONDITION);
        assert.equal(error?.details, 'not yet: é %');
        assert.deepEqual(end?.metadata.get('x-trailer'), ['at the end']);
      });

      test('a method nobody has is UNIMPLEMENTED, and so is a path without a router', async () => {
        const client = open(kind);
        for (const path of ['/echo/None', '/nobody/Unary']) {
          const error = await new Promise<ServiceError | null>((resolve) =>
            client.makeUnaryRequest(path, same, same, Buffer.from('x'), (failed) => resolve(failed)),
          );
          assert.equal(error?.code, status.UNIMPLEMENTED, path);
        }
      });

      test('a stream from the server, larger than every window', async () => {
        const call = open(kind).makeServerStreamRequest(echo.Down.path, same, same, Buffer.from('500'));
        let bytes = 0;
        let count = 0;
        for await (const chunk of call as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          count += 1;
        }
        assert.deepEqual([count, bytes], [500, 5_000_000]);
      });

      test('a stream to the server', async () => {
        const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
          const call = open(kind).makeClientStreamRequest(echo.Up.path, same, same, (error, value) =>
            error === null ? resolve(value) : reject(error),
          );
          for (let i = 0; i < 300; i++) call.write(Buffer.alloc(10_000));
          call.end();
        });
        assert.equal(answer?.toString(), '3000000');
      });

      test('messages go to and fro while the call is open', async () => {
        const call = open(kind).makeBidiStreamRequest(echo.Both.path, same, same);
        const got: string[] = [];
        call.on('data', (chunk: Buffer) => got.push(chunk.toString()));
        const ended = new Promise<void>((resolve) => call.on('end', () => resolve()));
        for (let i = 0; i < 20; i++) {
          call.write(Buffer.from(`message ${i}`));
          await eventually(`answer ${i}`, () => got.length === i + 1);
          assert.equal(got[i], `message ${i}`);
        }
        call.end();
        await ended;
      });

      test('a deadline ends the call for both sides', async () => {
        const before = cancelled;
        const { error } = await unary(open(kind), 'hang', Date.now() + 300);
        assert.equal(error?.code, status.DEADLINE_EXCEEDED);
        await eventually('the server hears of it', () => cancelled > before);
      });

      test('a cancelled stream is cancelled at the server', async () => {
        const before = cancelled;
        const call = open(kind).makeBidiStreamRequest(echo.Both.path, same, same);
        call.on('error', () => {});
        call.write(Buffer.from('one'));
        await new Promise((resolve) => call.once('data', resolve));
        call.cancel();
        await eventually('the server hears of it', () => cancelled > before);
      });

      test('a thousand calls on one connection', async () => {
        const client = open(kind);
        for (let i = 0; i < 10; i++) {
          const all = await Promise.all(Array.from({ length: 100 }, (_, n) => unary(client, `${i}.${n}`)));
          for (const [n, { error, answer }] of all.entries()) {
            assert.equal(error, null);
            assert.equal(answer, `you said ${i}.${n}`);
          }
        }
      });
    });
  }
});

interface Called {
  error: ServiceError | null;
  answer: string;
  head: Metadata | null;
  end: StatusObject | null;
}
