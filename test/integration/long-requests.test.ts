// What a request costs that is as long as it may be, and made for those who read it: CPU time of the worker, on both
// engines. Nobody else is served while a worker reads.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';

const length = 900_000;
const router = (rule: string, ...middlewares: readonly string[]): object => ({
  rule,
  middlewares,
  service: 'server',
});
const dynamic = (url: string): object => ({
  http: {
    routers: {
      all: router('Host(`all.test`)'),
      one: router('Host(`query.test`) && Query(`k`, `1`)'),
      two: router('Host(`query.test`) && Query(`k`, `2`)'),
      three: router('Host(`query.test`) && QueryRegexp(`k`, `^3+$`)'),
      digest: router('Host(`digest.test`)', 'digest'),
      grpc: router('Host(`grpc.test`)', 'grpc'),
    },
    middlewares: {
      digest: { digestAuth: { users: ['ann:traefik:939e7578ed9e3c518a452acee763bce9'] } },
      grpc: { grpcWeb: { allowOrigins: ['*'] } },
    },
    services: { server: { loadBalancer: { servers: [{ url }] } } },
  },
});

const requests: Readonly<Record<string, string>> = {
  'a query of a key alone': `GET /?${'k&'.repeat(length / 2)} HTTP/1.1\r\nHost: query.test\r\n\r\n`,
  'a query of an escaped key': `GET /?${'%6b&'.repeat(length / 4)} HTTP/1.1\r\nHost: query.test\r\n\r\n`,
  // Ten of them: each is as long as it is read.
  'a Digest header of blanks': requestText('GET /', [
    'Host: digest.test',
    `Authorization: Digest a=${' '.repeat(16_000)}"`,
  ]).repeat(10),
  'base64 of single bytes':
    `POST /a.B/C HTTP/1.1\r\nHost: grpc.test\r\nContent-Type: application/grpc-web-text\r\n` +
    `Content-Length: ${4 * length}\r\n\r\n${'QQ=='.repeat(length)}`,
};

for (const engine of ['uws', 'node'] as const) {
  describe(`long requests, ${engine} engine`, { timeout: 60_000 }, () => {
    let gateway: TestGateway;
    let origin: Origin;

    before(async () => {
      origin = await startOrigin();
      gateway = await startGateway({ engine, dynamic: dynamic(origin.url) });
    });
    after(async () => {
      await gateway?.stop();
      await origin?.stop();
    });

    for (const [what, request] of Object.entries(requests)) {
      test(`${what} costs no more than its length`, async () => {
        const earlier = cpuOf(gateway);
        const { statuses } = await sendRaw(gateway.port('web'), Buffer.from(request, 'latin1'));
        const spent = cpuOf(gateway) - earlier;
        assert.ok(statuses.length > 0);
        // Milliseconds: a second or more, and growing with the square of the length, before they were made linear.
        assert.ok(spent < 500, `${spent} ms`);
        const next = await sendRaw(gateway.port('web'), requestText('GET /', ['Host: all.test']));
        assert.deepEqual(next.statuses, [200]);
      });
    }

    test('a gRPC-Web text of any length reaches a server of HTTP/1.1, and the worker lives', async () => {
      const workers = gateway.workerPids();
      for (const bytes of [3_000, 4_096, 6_000, 12_000, 24_000, 32_769, 48_000, 96_000, 400_000]) {
        for (const unit of ['QQ==', 'QUJD']) {
          const text = unit.repeat(bytes / unit.replaceAll('=', '').length);
          const head = ['Host: grpc.test', 'Content-Type: application/grpc-web-text'];
          const request = requestText('POST /a.B/C', [...head, `Content-Length: ${text.length}`], text);
          const { statuses } = await sendRaw(gateway.port('web'), Buffer.from(request, 'latin1'));
          assert.deepEqual(statuses, [200], `${bytes} bytes in pieces of ${unit}`);
        }
      }
      assert.deepEqual(gateway.workerPids(), workers);
    });

    test('a route whose token secret lies in a file too short for one answers 503', async () => {
      const secretFile = join(gateway.dir, 'secret.txt');
      writeFileSync(secretFile, 'hunter2\n');
      await gateway.writeDynamic({
        http: {
          routers: { all: router('PathPrefix(`/`)', 'jwt') },
          middlewares: { jwt: { jwt: { secretFile } } },
          services: { server: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      });
      const { statuses } = await sendRaw(gateway.port('web'), requestText('GET /', ['Host: all.test']));
      assert.deepEqual(statuses, [503]);
      const { diagnostics } = await gateway.status();
      assert.match(JSON.stringify(diagnostics), /secretFile: expected a secret of at least 32 bytes/);
      assert.doesNotMatch(JSON.stringify(diagnostics) + gateway.logs(), /hunter2/);
    });
  });
}

/** Milliseconds of CPU time, in steps of ten. */
function cpuOf(gateway: TestGateway): number {
  const ticks = gateway.workerPids().map((pid) => {
    const fields = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * 10;
}
