// A response hook that takes a server's answer whole before the client gets it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../../src/proxy/exchange.ts';
import { type AnswerVerdict, CONTINUE, type Hooks } from '../../../src/proxy/hooks.ts';
import { serve } from '../../../src/proxy/pipeline.ts';
import type { Route } from '../../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../../src/proxy/runtime/runtime.ts';
import type { Server, ServerSource } from '../../../src/proxy/services/server.ts';
import { GatewayError } from '../../../src/proxy/errors.ts';
import { forward } from '../../../src/proxy/upstream/forward.ts';
import type { UpstreamHandler } from '../../../src/proxy/upstream/http1/call.ts';
import { exchange } from './middlewares/workbench.ts';

interface Call {
  readonly x: Exchange;
  readonly server: UpstreamHandler;
  /** What the hook got: the body, null, or the error's message. */
  readonly collected: (string | null)[];
  aborted: number;
}

/** A request behind one middleware that collects up to 10 bytes. */
function begin(): Call {
  const collected: (string | null)[] = [];
  const hook: Hooks = {
    async response(x): Promise<AnswerVerdict> {
      const body = await x.collectAnswer(10).catch((error: Error) => {
        collected.push(error.message);
        throw error;
      });
      collected.push(body === null ? null : Buffer.from(body).toString());
      if (body !== null) x.answerBody = body;
      return CONTINUE;
    },
  };
  let handler: UpstreamHandler | null = null;
  const call = { x: exchange(), collected, aborted: 0 };
  const pool = {
    send(_request: unknown, given: UpstreamHandler) {
      handler = given;
      return { abort: () => void call.aborted++, resume() {} };
    },
  };
  const server = { path: '', watch: null, pool } as unknown as Server;
  const source = { hostFor: () => 'h', another: () => null } as unknown as ServerSource;
  const route = {
    name: 'r@file',
    depth: 1,
    request: null,
    response: [hook.response],
    end: null,
    broken: null,
    accessLogs: true,
    service: { name: 's', handle: (one: Exchange) => forward(one, server, source) },
  } as unknown as Route;
  serve(call.x, { routeOf: () => route } as unknown as Runtime);
  return Object.assign(call, { server: handler as unknown as UpstreamHandler });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a streamed answer comes whole, and then goes out', async () => {
  const { x, server, collected } = begin();
  server.onHead(200, [], -1, false);
  server.onData(Buffer.from('hello '));
  server.onData(Buffer.from('you'));
  assert.deepEqual([x.headSent, collected], [false, []]);
  server.onEnd();
  await settled();
  assert.deepEqual([x.ended, x.bytesOut, collected], [true, 9, ['hello you']]);
});

test('one that is longer than its bound is null, and its server is told to stop', async () => {
  const call = begin();
  call.server.onHead(200, [], -1, false);
  call.server.onData(Buffer.from('hello everybody'));
  await settled();
  assert.deepEqual([call.collected, call.aborted], [[null], 1]);
});

test('a server that breaks off rejects, and the client gets 502', async () => {
  const { x, server, collected } = begin();
  server.onHead(200, [], -1, false);
  server.onData(Buffer.from('hello'));
  server.onError(new GatewayError('upstream.reset', 'broke off'));
  await settled();
  assert.equal(collected.length, 1);
  assert.deepEqual([x.ended, x.status], [true, 502]);
});

test('an answer of the gateway itself is at hand', async () => {
  const x = exchange();
  x.answer(200, [], 'hello');
  assert.equal(Buffer.from((await x.collectAnswer(5)) ?? []).toString(), 'hello');
  assert.equal(await x.collectAnswer(4), null);
});
