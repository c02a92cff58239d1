// Heads and bodies that come byte by byte: each has a deadline of its own on both engines, and honest slowness passes.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { flags, frame, frameTypes, headersFrame, openFrames } from '../support/http2-frames.ts';
import { accessLine, openRaw, type RawClient, routesTo, testAccessLog } from '../support/wire.ts';

const postHead = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;

for (const engine of ['uws', 'node'] as const) {
  describe(`slow clients on the ${engine} engine`, { timeout: 100_000, concurrency: true }, () => {
    let origin: Server;
    let gateway: TestGateway;

    before(async () => {
      origin = createServer((request, response) => {
        if (request.url?.endsWith('/talks') === true) response.write('begun');
        if (request.url?.endsWith('/waits') === true) setTimeout(() => request.resume(), 16_000);
        else request.resume();
        request.on('end', () => response.end('whole'));
        request.on('error', () => {});
      });
      await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
      gateway = await startGateway({
        engine,
        static: {
          accessLog: testAccessLog,
          entryPoints: {
            web: { transport: { respondingTimeouts: { readHeaderTimeout: '8s' } } },
            patient: { transport: { respondingTimeouts: { minBodyRate: 0 } } },
          },
        },
        dynamic: routesTo({ o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
      });
    });
    after(async () => {
      await gateway?.stop();
      origin?.closeAllConnections();
      origin?.close();
    });

    test('a head that comes byte by byte ends at its deadline, the first one and the second', async () => {
      const port = gateway.port('web');
      const first = await openRaw(port);
      const second = await openRaw(port);
      second.write('GET /o/one HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await second.until(/whole/);
      const took = await Promise.all(
        [first, second].map(async (client) => {
          const started = performance.now();
          client.write('GET /o/slow HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
          await dripUntilClosed(client, { bytes: 'a', every: 250, ms: 40_000 });
          return performance.now() - started;
        }),
      );
      // On the fast engine a connection that has had an answer has half a minute for its next head.
      const most = [14_000, engine === 'uws' ? 36_000 : 14_000];
      for (const [i, ms] of took.entries()) assert.ok(ms > 3_000 && ms < (most[i] ?? 0), `${ms} ms`);
    });

    test('a body below the least rate is answered 408 and cut, and logged so', async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(postHead('/o/trickle', 100_000));
      const started = performance.now();
      await dripUntilClosed(client, { bytes: 'a'.repeat(10), every: 500, ms: 25_000 });
      const took = performance.now() - started;
      assert.ok(took > 9_000 && took < 16_000, `${took} ms`);
      assert.match(client.text(), /^HTTP\/1\.1 408 /);
      assert.match(client.text(), /connection: close/i);
      assert.equal((await accessLine(gateway, '/o/trickle'))['DownstreamStatus'], 408);
      assert.match(gateway.logs(), /"code":"client\.slow","blame":"client"/);
    });

    test('a small body, read whole before a server is asked, has the same least rate', async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(postHead('/o/small', 1_000));
      await dripUntilClosed(client, { bytes: 'a', every: 500, ms: 25_000 });
      assert.match(client.text(), /^HTTP\/1\.1 408 /);
    });

    test('a burst does not pay for an endless trickle', { timeout: 90_000 }, async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(postHead('/o/burst', 10_000_000));
      client.write('a'.repeat(1_000_000));
      const started = performance.now();
      await dripUntilClosed(client, { bytes: 'a', every: 1_000, ms: 80_000 });
      const took = performance.now() - started;
      assert.ok(took > 50_000 && took < 70_000, `${took} ms`);
    });

    test('1,000 bytes a second are served for as long as it takes', async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(postHead('/o/modem', 45_000));
      for (let i = 0; i < 45 && !client.isClosed; i++) {
        client.write('a'.repeat(1_000));
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      assert.match(await client.until(/whole/), /^HTTP\/1\.1 200 /);
      client.destroy();
    });

    test('an upload that its server holds back is not the client’s fault', async () => {
      const client = await openRaw(gateway.port('web'));
      const size = 16 * 1024 * 1024;
      client.write(postHead('/o/waits', size));
      client.write(Buffer.alloc(size));
      await client.until(/\r\n\r\n/, 40_000);
      assert.match(client.text(), /^HTTP\/1\.1 200 /);
      client.destroy();
    });

    test('who is answered already may talk as slowly as the server likes', async () => {
      const client = await openRaw(gateway.port('web'));
      client.write(postHead('/o/talks', 100_000));
      await client.until(/begun/);
      for (let i = 0; i < 18; i++) {
        client.write('a');
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      assert.equal(client.isClosed, false);
      client.write('a'.repeat(100_000 - 18));
      await client.until(/whole/);
      client.destroy();
    });

    test('without a least rate a trickle is served', async () => {
      const client = await openRaw(gateway.port('patient'));
      client.write(postHead('/o/patient', 36));
      for (let i = 0; i < 36; i++) {
        client.write('a');
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      assert.match(await client.until(/whole/), /^HTTP\/1\.1 200 /);
      client.destroy();
    });

    if (engine === 'node') {
      test('over HTTP/2 too: 408 for a trickle, gRPC talks as it likes, and a first request has its deadline', async () => {
        const port = gateway.port('web');
        const origin = [':scheme', 'http', ':authority', 'localhost'];
        const pseudo = (path: string): string[] => [':method', 'POST', ':path', path, ...origin];
        const client = await openFrames(port);
        const silent = await openFrames(port);
        client.send(headersFrame(1, pseudo('/o/trickle2'), flags.endHeaders));
        const grpc = [...pseudo('/o/grpc'), 'content-type', 'application/grpc'];
        client.send(headersFrame(3, grpc, flags.endHeaders));
        let isTold = false;
        for (let i = 0; i < 30 && !isTold; i++) {
          for (const stream of [1, 3]) client.send(frame(frameTypes.data, 0, stream, Buffer.from('a')));
          await new Promise((resolve) => setTimeout(resolve, 500));
          isTold = client.frames.some(({ type, stream }) => type === frameTypes.headers && stream === 1);
        }
        assert.ok(isTold);
        assert.equal(
          client.frames.some(({ stream }) => stream === 3),
          false,
        );
        assert.equal((await accessLine(gateway, '/o/trickle2'))['DownstreamStatus'], 408);
        await silent.closed(8_000);
        client.destroy();
      });
    }
  });
}

interface Drip {
  readonly bytes: string;
  /** Milliseconds. */
  readonly every: number;
  readonly ms: number;
}

async function dripUntilClosed(client: RawClient, { bytes, every, ms }: Drip): Promise<void> {
  const drip = setInterval(() => client.isClosed || client.write(bytes), every);
  try {
    await eventually('the connection is cut', () => client.isClosed, ms);
  } finally {
    clearInterval(drip);
    client.destroy();
  }
}
