// Header sections of HTTP/2 that are begun and never ended, from clients and from servers: no worker dies of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawServer } from '../unit/proxy/upstream/http1/support.ts';
import { startGateway } from '../support/gateway.ts';
import { sendHalfTrailers } from '../support/half-sections.ts';
import { readAnswer } from '../support/hostile-client.ts';
import { startHostileHttp2 } from '../support/hostile-http2.ts';
import { eachOf } from '../support/hostile-run.ts';

/** Garbage is collected often, and what was begun by one connection before another ends. */
const env = { NODE_OPTIONS: '--max-semi-space-size=1' };

test('trailers that a client begins and never ends', async (context) => {
  const silent = await rawServer(() => {});
  const gateway = await startGateway({ engine: 'node', env, dynamic: routes(silent.url) });
  context.after(async () => {
    await gateway.stop();
    await silent.stop();
  });
  const before = gateway.workerPids();
  await eachOf(Array.from({ length: 1_500 }), () => sendHalfTrailers(gateway.port('web')));
  assert.deepEqual(gateway.workerPids(), before);
  assert.doesNotMatch(gateway.logs(), /Assertion/);
});

test('an answer whose head a server begins and never ends', async (context) => {
  const server = await startHostileHttp2();
  const gateway = await startGateway({ env, dynamic: routes(server.url) });
  context.after(async () => {
    await gateway.stop();
    await server.stop();
  });
  const before = gateway.workerPids();
  const targets = ['/wrong/continuation-cut', '/user/1', '/user/2', '/user/3'];
  await eachOf(Array.from({ length: 500 }), async () => {
    await Promise.all(targets.map((target) => readAnswer(gateway.port('web'), target)));
  });
  assert.deepEqual(gateway.workerPids(), before);
  assert.doesNotMatch(gateway.logs(), /Assertion/);
});

function routes(url: string): object {
  return {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 'one' } },
      services: { one: { loadBalancer: { servers: [{ url }] } } },
    },
  };
}
