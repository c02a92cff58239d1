// An answer that was dropped for another attempt: what still comes of it changes nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { CONTINUE, type Hooks, RETRY } from '../../../../src/proxy/hooks.ts';
import { serve } from '../../../../src/proxy/pipeline.ts';
import type { Route } from '../../../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../../../src/proxy/runtime/runtime.ts';
import type { Server, ServerSource } from '../../../../src/proxy/services/server.ts';
import { forward } from '../../../../src/proxy/upstream/forward.ts';
import type { UpstreamHandler } from '../../../../src/proxy/upstream/http1/call.ts';
import { exchange } from '../../../support/forward-auth.ts';

test('trailers, data and the end of a dropped answer never reach the next one', () => {
  const attempts: UpstreamHandler[] = [];
  const pool = {
    send(_request: unknown, handler: UpstreamHandler) {
      attempts.push(handler);
      return { abort() {}, resume() {} };
    },
  };
  const server = { path: '', watch: null, pool } as unknown as Server;
  const source = { hostFor: () => 'h', another: () => null } as unknown as ServerSource;
  let tried = 0;
  const retry: Hooks = { response: () => (++tried === 1 ? RETRY : CONTINUE) };
  const route = {
    name: 'r@file',
    depth: 1,
    request: null,
    response: [retry.response],
    end: null,
    broken: null,
    accessLogs: true,
    service: { name: 's', handle: (one: Exchange) => forward(one, server, source) },
  } as unknown as Route;
  const x = exchange();
  serve(x, { routeOf: () => route } as unknown as Runtime);
  const [first] = attempts;
  first?.onHead(503, [], -1, true);
  const second = attempts[1];
  assert.ok(first !== undefined && second !== undefined);
  second.onHead(200, [], -1, true);
  first.onData(Buffer.from('of the first'));
  first.onTrailers?.(['grpc-status', '14']);
  first.onEnd();
  assert.deepEqual([x.ended, x.trailers, x.bytesOut, x.status], [false, null, 0, 200]);
  second.onData(Buffer.from('two'));
  second.onTrailers?.(['grpc-status', '0']);
  second.onEnd();
  assert.deepEqual([x.ended, x.trailers, x.bytesOut, x.retries], [true, ['grpc-status', '0'], 3, 1]);
});
