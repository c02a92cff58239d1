// The text of the metrics for clients without gzip: unpacked piece by piece, whole, and no faster than it is read.

import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ApiAnswer } from '../../src/model/ipc.ts';
import type { MiddlewareSpec, Snapshot } from '../../src/model/snapshot.ts';
import { defaultTlsOptions } from '../../src/model/tls.ts';
import { createGateway } from '../../src/proxy/create-gateway.ts';
import { findMiddleware } from '../../src/proxy/middlewares/catalogue.ts';
import { maxUnpacking } from '../../src/proxy/services/prometheus.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { eventually } from '../support/gateway.ts';
import { entryPoint } from '../support/specs.ts';
import { openRaw, type RawClient } from '../support/wire.ts';
import { linesLog, router, settings } from '../unit/primary/support.ts';

/** 26 MB, of which no two lines are the same. */
const text = Buffer.from(
  Array.from(
    { length: 200_000 },
    (_, i) =>
      `traefik_router_requests_total{code="200",method="GET",protocol="http",router="r${i}@file",service="s${i}@file",tenant="ä"} ${i}\n`,
  ).join(''),
);
const packed = gzipSync(text, { level: 1 });
const headers = [
  'Content-Type',
  'text/plain; version=0.0.4',
  'Content-Encoding',
  'gzip',
  'Vary',
  'Accept-Encoding',
];
const good: ApiAnswer = { status: 200, headers, body: packed.toString('base64'), encoding: 'base64' };

interface Bench {
  readonly port: number;
  readonly logs: readonly string[];
}

/** A worker's request path in this process; the primary's part is `answer`. */
async function open(
  context: TestContext,
  engine: 'uws' | 'node',
  answer: ApiAnswer = good,
  middlewares: readonly MiddlewareSpec[] = [],
): Promise<Bench> {
  const logs: string[] = [];
  const gateway = createGateway(
    { ...settings, entryPoints: [{ ...entryPoint('web', { port: 0 }), host: '127.0.0.1', engine }] },
    { askPrimary: () => Promise.resolve(answer), log: linesLog(logs), state: new MemoryState() },
  );
  context.after(() => gateway.close());
  const spec = router('metrics@file', {
    rule: 'PathPrefix(`/metrics`)',
    service: 'prometheus@internal',
    middlewares: middlewares.map(({ name }) => name),
  });
  const services = [
    { kind: 'internal', name: 'prometheus@internal', provider: 'internal', target: 'prometheus', errors: [] },
  ];
  const tls = {
    certificates: [],
    defaultCertificate: null,
    options: [defaultTlsOptions],
    listeners: [{ entryPoint: 'web', engine, side: 'plain', hosts: [] }],
  };
  const content = { routers: [spec], middlewares, services, transports: [], tls };
  gateway.apply({ version: 1, hash: '1', ...content } as unknown as Snapshot, []);
  const ports = await gateway.listen();
  return { port: ports['web'] as number, logs };
}

function middleware(kind: string, written: object): MiddlewareSpec {
  const options = findMiddleware(kind)?.schema.parse(written);
  return { name: `${kind}@file`, provider: 'file', kind, options, errors: [] };
}

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly isWhole: boolean;
}

function ask(port: number, more: object = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    get(
      { host: '127.0.0.1', port, path: '/metrics', method, agent: false, headers: { ...more } },
      (response) => {
        const pieces: Buffer[] = [];
        const { statusCode: status = 0, headers: got } = response;
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', () => {});
        response.on('close', () =>
          resolve({ status, headers: got, body: Buffer.concat(pieces), isWhole: response.complete }),
        );
      },
    ).on('error', reject);
  });
}

for (const engine of ['uws', 'node'] as const) {
  describe(`on the ${engine} engine`, () => {
    test('both kinds of clients get the same bytes, all of them, and are told how many', async (context) => {
      const { port } = await open(context, engine);
      const [plain, gzip] = await Promise.all([ask(port), ask(port, { 'accept-encoding': 'gzip' })]);
      assert.equal(gzip.headers['content-encoding'], 'gzip');
      assert.ok(gunzipSync(gzip.body).equals(text));
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.equal(plain.headers['content-length'], String(text.length));
      assert.equal(plain.headers['vary'], 'Accept-Encoding');
      assert.ok(plain.isWhole);
      assert.ok(plain.body.equals(text));
    });

    test('HEAD says how long it would be, and nothing is unpacked', async (context) => {
      const { port } = await open(context, engine);
      const { status, headers: got, body } = await ask(port, {}, 'HEAD');
      assert.deepEqual([status, got['content-length'], body.length], [200, String(text.length), 0]);
    });

    test('clients that stop reading hold no text, and a bounded number of places', async (context) => {
      const { port } = await open(context, engine);
      await ask(port);
      const before = process.memoryUsage.rss();
      const stalled: RawClient[] = [];
      context.after(() => stalled.forEach((client) => client.destroy()));
      for (let i = 0; i < maxUnpacking; i++) {
        const client = await openRaw(port);
        client.socket.pause();
        client.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
        stalled.push(client);
      }
      let refused = await ask(port, {}, 'HEAD');
      await eventually('all places are taken', async () => {
        refused = await ask(port, {}, 'HEAD');
        return refused.status === 503;
      });
      assert.equal(refused.headers['retry-after'], '1');
      // All of them at once would be 400 MB, on top of what the kernel holds.
      const grown = (process.memoryUsage.rss() - before) / 1024 / 1024;
      assert.ok(grown < 200, `${grown} MiB more`);
      assert.equal((await ask(port, { 'accept-encoding': 'gzip' })).status, 200, 'gzip goes on');
      const [first, second] = stalled as [RawClient, RawClient];
      second.destroy();
      await eventually('a place is free', async () => (await ask(port, {}, 'HEAD')).status === 200);
      let bytes = 0;
      first.socket.removeAllListeners('data');
      first.socket.on('data', (piece) => (bytes += piece.length)).resume();
      await eventually('one that reads on gets all of it', () => bytes > text.length, 20_000);
    });

    test('a middleware may hold the text back, and one that changes it sees it unpacked', async (context) => {
      const buffering = middleware('buffering', { maxResponseBodyBytes: 64 * 1024 * 1024 });
      const { port } = await open(context, engine, good, [buffering]);
      assert.ok((await ask(port)).body.equals(text));
      const other = await open(context, engine, good, [middleware('compress', {})]);
      const got = await ask(other.port, { 'accept-encoding': 'zstd, br' });
      assert.match(got.headers['content-encoding'] ?? '', /^(zstd|br)$/);
    });

    test('a text that is damaged is never taken for a whole one', async (context) => {
      const broken = Buffer.concat([packed.subarray(0, packed.length >> 1), packed.subarray(-8)]);
      const answer = { ...good, body: broken.toString('base64') };
      const { port, logs } = await open(context, engine, answer);
      const got = await ask(port).catch(() => null);
      assert.ok(got === null || !got.isWhole || got.status === 500);
      await eventually('the log says so', () => logs.some((line) => line.includes('unreadable metrics')));
    });
  });
}
