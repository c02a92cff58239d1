// The drivers of the bench, before servers that misbehave.

import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { pacedLoad } from '../../../bench/drivers/paced.ts';
import { returningVisitors } from '../../../bench/drivers/sticky.ts';
import type { RoundOptions, Subject } from '../../../bench/scenario.ts';
import { stickyCookie } from '../../../bench/site.ts';

const options: RoundOptions = { seconds: 1, driver: 'auto', rate: null, minutes: 1, folder: '' };

async function withServer(
  listener: RequestListener,
  work: (subject: Subject) => Promise<void>,
): Promise<void> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const backends = { origin: address, twin: address, node: address, auth: address };
  const subject: Subject = { port, backends, bootMs: 0, pids: () => [], reload: () => Promise.resolve() };
  try {
    await work(subject);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('requests that were due while a server stalled are charged with the stall, sent or not', async () => {
  let count = 0;
  let stalledUntil = 0;
  await withServer(
    (_, response) => {
      count += 1;
      if (count === 300) stalledUntil = performance.now() + 400;
      setTimeout(() => response.end('ok'), Math.max(0, stalledUntil - performance.now()));
    },
    async (subject) => {
      const sample = await pacedLoad('/', 4)(subject, { ...options, rate: 1_000 });
      // Four connections: of a thousand requests only four were under way when it stalled.
      assert.ok((sample.p99 ?? 0) > 250, `p99 is ${sample.p99} ms`);
      assert.equal(sample.errors, 0);
      assert.equal(sample.figures?.['asked/s'], 1_000);
    },
  );
});

test('answers other than 2xx are errors', async () => {
  await withServer(
    (_, response) => {
      response.statusCode = 503;
      response.end('no');
    },
    async (subject) => {
      const sample = await pacedLoad('/', 4)(subject, { ...options, rate: 100 });
      assert.equal(sample.requests, 0);
      assert.ok(sample.errors > 50, `${sample.errors} errors`);
    },
  );
});

test('requests that are never answered are errors, and slow', async () => {
  await withServer(
    () => undefined,
    async (subject) => {
      const sample = await pacedLoad('/', 4)(subject, { ...options, rate: 100 });
      assert.equal(sample.errors, 100);
      assert.ok((sample.p50 ?? 0) >= 900, `p50 is ${sample.p50} ms`);
    },
  );
});

test('without a rate nothing is sent', async () => {
  await withServer(
    () => undefined,
    (subject) => assert.rejects(pacedLoad('/', 4)(subject, options), /no rate/),
  );
});

test('a cookie that does not keep a client at its server is no stickiness', async () => {
  let turn = 0;
  await withServer(
    (_, response) => {
      const server = `s${(turn += 1) % 2}`;
      response.writeHead(200, { 'Set-Cookie': `${stickyCookie}=${server}; Path=/`, 'X-Server': server });
      response.end('ok');
    },
    (subject) => assert.rejects(returningVisitors('/')(subject, options), /does not keep/),
  );
});

test('a service that sends everyone to one server is no stickiness', async () => {
  await withServer(
    (_, response) => {
      response.writeHead(200, { 'Set-Cookie': `${stickyCookie}=one`, 'X-Server': 'one' });
      response.end('ok');
    },
    (subject) => assert.rejects(returningVisitors('/')(subject, options), /one server/),
  );
});
