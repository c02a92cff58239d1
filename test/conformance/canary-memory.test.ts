// The memory of a cache holds decisions under keyed digests: no token is in it as it was sent.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freshCanary } from '../support/canary-stage.ts';
import { eventually, startGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';

for (const engine of ['uws', 'node'] as const) {
  test(`a cached decision holds no token as it was sent, ${engine} engine`, async (t) => {
    const user = `User${randomBytes(9).toString('hex')}`;
    const tokens = { bearer: freshCanary(), cookie: freshCanary(), query: freshCanary() };
    const auth = await startOrigin({
      answer: (request, response) => {
        const isKnown = String(request.headers.authorization).includes(tokens.bearer);
        response.writeHead(200, isKnown ? { 'X-User-Id': user } : {}).end();
      },
    });
    const origin = await startOrigin();
    const gateway = await startGateway({
      engine,
      env: { NODE_OPTIONS: '--heapsnapshot-signal=SIGPWR' },
      dynamic: {
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 'origin', middlewares: ['cached'] } },
          middlewares: {
            cached: {
              forwardAuth: { address: auth.url, authResponseHeaders: ['X-User-Id'], cache: { ttl: '600s' } },
            },
          },
          services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      },
    });
    t.after(async () => {
      await gateway.stop();
      await Promise.all([auth.stop(), origin.stop()]);
    });
    const ask = async (bearer: string, cookie: string, query: string): Promise<void> => {
      const lines = [`Authorization: Bearer ${bearer}`, `Cookie: sid=${cookie}`, 'Connection: close'];
      const { statuses } = await sendRaw(gateway.port('web'), requestText(`GET /a?token=${query}`, lines), {
        quiet: 1_000,
      });
      assert.deepEqual(statuses, [200]);
    };
    for (let i = 0; i < 3; i++) await ask(tokens.bearer, tokens.cookie, tokens.query);
    assert.equal(auth.requests.length, 1, 'the decision is kept');
    // Buffers of connections and the last of everything belong to somebody else then.
    for (let i = 0; i < 60; i++) await ask(`other${i}`, `other${i}`, `other${i}`);
    const [worker] = gateway.workerPids();
    const heap = await heapOf(worker as number, gateway.dir);
    assert.ok(heap.includes(user), 'the kept decision is in the snapshot');
    for (const [what, token] of Object.entries(tokens))
      assert.ok(!heap.includes(token), `the ${what} is in the worker’s memory`);
    await ask(tokens.bearer, tokens.cookie, tokens.query);
    assert.equal(origin.requests.at(-1)?.headers['x-user-id'], user, 'and it is found by what is kept');
    assert.equal(auth.requests.length, 61);
  });
}

/** After a full collection: V8 makes one before it writes. */
async function heapOf(pid: number, dir: string): Promise<string> {
  process.kill(pid, 'SIGPWR');
  const find = (): string | undefined => readdirSync(dir).find((name) => name.endsWith('.heapsnapshot'));
  let size = -1;
  await eventually(
    'a heap snapshot',
    async () => {
      const name = find();
      if (name === undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = size;
      size = statSync(join(dir, name)).size;
      return size > 1e6 && size === before;
    },
    60_000,
  );
  return readFileSync(join(dir, find() as string), 'latin1');
}
