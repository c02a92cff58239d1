// Connections by the thousand that want nothing, that never finish a handshake, that never read; and a worker that has
// no descriptors left. Everybody else is served meanwhile.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type EndlessOrigin, startEndlessOrigin } from '../support/endless-origin.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { getFrame, openFrames } from '../support/http2-frames.ts';
import { affordable, besiege, descriptorsOf, openMany } from '../support/siege.ts';
import { openRaw, routesTo } from '../support/wire.ts';

/** Bytes a connection that wants nothing may cost its worker. */
const mostIdle = { uws: 2_000, node: 16_000 };

for (const engine of ['uws', 'node'] as const) {
  describe(`many connections on the ${engine} engine`, { timeout: 85_000 }, () => {
    let origin: EndlessOrigin;
    /** What is poured must not slow down the answers of others. */
    let loud: EndlessOrigin;
    let gateway: TestGateway;

    before(async () => {
      [origin, loud] = await Promise.all([startEndlessOrigin(), startEndlessOrigin()]);
      const routes = routesTo({ o: origin.url, loud: loud.url }).http;
      const routers = routes as { routers: Record<string, object> };
      routers.routers['asks'] = { rule: 'PathPrefix(`/asks`)', service: 'o', middlewares: ['ask'] };
      routers.routers['tls'] = {
        rule: 'PathPrefix(`/o`)',
        service: 'o',
        entryPoints: ['secure'],
        tls: {},
      };
      gateway = await startGateway({
        engine,
        static: { entryPoints: { web: { asDefault: true }, secure: {} } },
        dynamic: {
          http: {
            ...routes,
            middlewares: { ask: { forwardAuth: { address: `${loud.url}/endless` } } },
          },
        },
      });
    });
    after(async () => {
      await gateway?.stop();
      origin?.stop();
      loud?.stop();
    });

    test('10,000 idle connections', async () => {
      const count = affordable(10_000);
      const siege = besiege(gateway, { path: '/o/other' });
      const sockets = await openMany(gateway.port('web'), count, () => {});
      const pid = gateway.workerPids()[0] as number;
      await eventually('all are accepted', () => descriptorsOf(pid) > count, 20_000);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const each = siege.perConnection(count);
      const report = await siege.stop(`${engine}: idle ×${count}, ${Math.round(each)} B each`);
      for (const socket of sockets) socket.destroy();
      assert.equal(report.failed, 0);
      assert.ok(each < mostIdle[engine], `${each} bytes each`);
      await eventually('all are gone', () => descriptorsOf(pid) < 500, 20_000);
    });

    test('400 TLS hellos that come a byte a second', async () => {
      const siege = besiege(gateway, { path: '/o/other' });
      const hello = Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]), Buffer.alloc(500)]);
      let open = 400;
      const started = performance.now();
      const drips: NodeJS.Timeout[] = [];
      const sockets = await openMany(gateway.port('secure'), open, (socket) => {
        let at = 0;
        const drip = (): void => void socket.write(hello.subarray(at, (at += 1)));
        drips.push(setInterval(drip, 1_000));
        socket.on('close', () => (open -= 1));
      });
      try {
        await eventually('all are cut, however their bytes come', () => open === 0, 45_000);
        const took = (performance.now() - started) / 1_000;
        const report = await siege.stop(`${engine}: TLS hellos ×400, all cut after ${took.toFixed(0)} s`);
        assert.equal(report.failed, 0);
        assert.ok(report.peak - report.before < 60e6, report.row);
      } finally {
        for (const drip of drips) clearInterval(drip);
        for (const socket of sockets) socket.destroy();
      }
    });

    test('50 clients that ask for 1 GiB and never read', async () => {
      const siege = besiege(gateway, { path: '/o/other' });
      const sockets = await openMany(gateway.port('web'), 50, (socket) => {
        socket.pause();
        socket.write('GET /loud/huge HTTP/1.1\r\nHost: localhost\r\n\r\n');
      });
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      const report = await siege.stop(
        `${engine}: never read ×50, ${Math.round(siege.perConnection(50) / 1_000)} KB each`,
      );
      for (const socket of sockets) socket.destroy();
      assert.equal(report.failed, 0);
      assert.ok(report.peak - report.before < 150e6, report.row);
    });

    test('an auth server that streams for ever', async () => {
      const siege = besiege(gateway, { path: '/o/other' });
      const sockets = await openMany(gateway.port('web'), 50, (socket) => {
        socket.resume();
        socket.write('GET /asks/x HTTP/1.1\r\nHost: localhost\r\n\r\n');
      });
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const report = await siege.stop(`${engine}: endless auth answers ×50`);
      for (const socket of sockets) socket.destroy();
      assert.equal(report.failed, 0);
      assert.ok(report.peak - report.before < 350e6, report.row);
    });

    if (engine === 'node') {
      test('1,000 HTTP/2 streams that are never read', async () => {
        const siege = besiege(gateway, { path: '/o/other' });
        const clients = await Promise.all(
          Array.from({ length: 10 }, () => openFrames(gateway.port('web'), { neverReads: true })),
        );
        for (const client of clients) {
          client.socket.pause();
          for (let stream = 1; stream < 200; stream += 2) client.send(getFrame(stream, '/loud/huge'));
        }
        await new Promise((resolve) => setTimeout(resolve, 6_000));
        const report = await siege.stop(`${engine}: streams never read ×1000`);
        for (const client of clients) client.destroy();
        assert.equal(report.failed, 0);
        assert.ok(report.peak - report.before < 250e6, report.row);
      });
    }

    test('a worker without descriptors serves who is there, says so, and takes new ones afterwards', async () => {
      const pid = gateway.workerPids()[0] as number;
      const port = gateway.port('web');
      const there = await openRaw(port);
      const answers = (): number => there.text().split('HTTP/1.1 200').length - 1;
      const ask = async (): Promise<void> => {
        const before = answers();
        there.write('GET /o/there HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await eventually('an answer', () => answers() > before, 10_000);
      };
      await ask();
      const limit = descriptorsOf(pid) + 100;
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:20000`]);
      const sockets = await openMany(port, 200, () => {});
      try {
        await gateway.waitForLog(/no file descriptor is left/, 10_000);
        for (let i = 0; i < 5; i++) await ask();
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      await gateway.waitForLog(/file descriptors are left again/, 10_000);
      const fresh = await openRaw(port);
      fresh.write('GET /o/fresh HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await fresh.until(/200 OK/, 5_000);
      assert.equal(gateway.workerPids()[0], pid);
      for (const client of [there, fresh]) client.destroy();
      execFileSync('prlimit', ['--pid', String(pid), '--nofile=20000:20000']);
    });
  });
}
