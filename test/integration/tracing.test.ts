// Traces as a collector gets them from a real gateway: the tree of spans, what they say, what passes on to servers
// and auth servers, and what becomes of requests when the collector is gone.

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { once } from 'node:events';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import type { SeenSpan } from '../support/otlp-message.ts';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlp } from '../support/otlp-receiver.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

let origin: Origin;
let auth: Origin;
let seen: Record<string, string | string[] | undefined>[] = [];
let asked: Record<string, string | string[] | undefined>[] = [];
let breaks = 0;
before(async () => {
  origin = await startOrigin({
    answer: (request, response) => {
      seen.push(request.headers);
      if (request.url === '/breaks' && breaks-- > 0) {
        response.statusCode = 503;
        response.end();
        return;
      }
      if (request.url === '/slow') {
        response.write('first');
        setTimeout(() => response.end('last'), 150);
        return;
      }
      response.statusCode = request.url === '/fails' ? 500 : 200;
      response.setHeader('X-Origin', 'theirs').setHeader('Set-Cookie', 'a=1').end('twelve bytes');
    },
  });
  auth = await startOrigin({
    answer: (request, response) => {
      asked.push(request.headers);
      response.statusCode = request.headers['x-forwarded-uri'] === '/p/no' ? 403 : 200;
      response.end();
    },
  });
});
after(async () => {
  await origin?.stop();
  await auth?.stop();
});

function dynamic(extra: object = {}): object {
  const loadBalancer = (url: string): object => ({ loadBalancer: { servers: [{ url }] } });
  return {
    http: {
      routers: {
        shop: { rule: 'Host(`shop.test`)', service: 'shop' },
        detailed: {
          rule: 'Host(`detailed.test`)',
          service: 'shop',
          middlewares: ['prefix', 'auth'],
          observability: { traceVerbosity: 'detailed' },
        },
        cached: {
          rule: 'Host(`cached.test`)',
          service: 'shop',
          middlewares: ['cached'],
          observability: { traceVerbosity: 'detailed' },
        },
        again: { rule: 'Host(`again.test`)', service: 'shop', middlewares: ['retry'] },
        dead: { rule: 'Host(`dead.test`)', service: 'dead' },
        silent: { rule: 'Host(`silent.test`)', service: 'shop', observability: { tracing: false } },
        pong: { rule: 'Host(`pong.test`)', service: 'ping@internal' },
        ...extra,
      },
      middlewares: {
        prefix: { addPrefix: { prefix: '/p' } },
        auth: {
          forwardAuth: { address: `${auth.url}/verify?token=hush`, authRequestHeaders: ['Authorization'] },
        },
        cached: { forwardAuth: { address: auth.url, cache: { ttl: '60s' } } },
        retry: { retry: { attempts: 3, initialInterval: '1ms', status: ['503'] } },
      },
      services: { shop: loadBalancer(origin.url), dead: loadBalancer('http://127.0.0.1:1') },
    },
  };
}

async function start(
  t: TestContext,
  tracing: object,
  more: { static?: object; dynamic?: object; env?: Record<string, string> } = {},
): Promise<TestGateway> {
  seen = [];
  asked = [];
  const gateway = await startGateway({
    static: { entryPoints: { web: {} }, ping: { manualRouting: true }, tracing, ...more.static },
    dynamic: more.dynamic ?? dynamic(),
    ...(more.env === undefined ? {} : { env: more.env }),
  });
  t.after(() => gateway.stop());
  return gateway;
}

async function collector(
  t: TestContext,
  options: OtlpReceiverOptions = { protocol: 'http' },
): Promise<OtlpReceiver> {
  const receiver = await startOtlp(options);
  t.after(() => receiver.stop());
  return receiver;
}

function to(receiver: OtlpReceiver, more: object = {}): object {
  return { otlp: { http: { endpoint: `http://127.0.0.1:${receiver.port}` } }, ...more };
}

async function spans(receiver: OtlpReceiver, count: number): Promise<readonly SeenSpan[]> {
  await eventually(
    `${count} spans, there are ${receiver.spans.length}`,
    () => receiver.spans.length >= count,
  );
  return receiver.spans;
}

function named(all: readonly SeenSpan[], name: string): SeenSpan {
  const found = all.find((span) => span.name === name);
  assert.ok(found, `no span ${name} among ${all.map((span) => span.name).join(', ')}`);
  return found;
}

describe('spans', () => {
  test('of a request are one for the entry point and one for the server', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(
      t,
      to(receiver, {
        serviceName: 'gate',
        resourceAttributes: { 'deployment.environment': 'test' },
        globalAttributes: { team: 'blue' },
        capturedRequestHeaders: ['X-Ask', 'Authorization'],
        capturedResponseHeaders: ['X-Origin', 'Set-Cookie'],
        safeQueryParams: ['page'],
      }),
    );
    await ask(gateway.port('web'), {
      host: 'shop.test',
      target: '/a?page=2&token=hush',
      headers: { 'X-Ask': 'why', Authorization: 'Bearer hush', 'User-Agent': 'tester' },
    });
    const all = await spans(receiver, 2);
    const root = named(all, 'EntryPoint');
    const call = named(all, 'ReverseProxy');
    assert.equal(all.length, 2);
    assert.equal(root.kind, 2);
    assert.equal(root.parentSpanId, '');
    assert.equal(call.kind, 3);
    assert.equal(call.parentSpanId, root.spanId);
    assert.equal(call.traceId, root.traceId);
    assert.equal(root.resource['service.name'], 'gate');
    assert.equal(root.resource['deployment.environment'], 'test');
    assert.equal(root.resource['team'], 'blue');
    assert.deepEqual(pick(root, 'http.', 'url.', 'entry', 'user_agent', 'network.protocol', 'server.'), {
      entry_point: 'web',
      'http.request.method': 'GET',
      'http.request.body.size': 0,
      'http.request.header.x-ask': ['why'],
      'http.request.header.authorization': ['REDACTED'],
      'http.response.status_code': 200,
      'http.response.header.x-origin': ['theirs'],
      'http.response.header.set-cookie': ['REDACTED'],
      'http.route': 'Host(`shop.test`)',
      'url.path': '/a',
      'url.query': 'page=2&token=REDACTED',
      'url.scheme': 'http',
      'user_agent.original': 'tester',
      'network.protocol.version': '1.1',
      'server.address': 'shop.test',
    });
    assert.equal(call.attributes['url.full'], `${origin.url}/a?page=2&token=REDACTED`);
    assert.equal(call.attributes['server.port'], Number(new URL(origin.url).port));
    assert.equal(call.attributes['http.response.status_code'], 200);
    assert.ok(!JSON.stringify(all).includes('hush'));
    assert.equal(seen[0]?.['traceparent'], `00-${root.traceId}-${call.spanId}-01`);
  });

  test('follow the client’s trace and keep its tracestate', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver, { sampleRate: 0 }));
    await ask(gateway.port('web'), {
      host: 'shop.test',
      headers: { traceparent: `00-${trace}-${parent}-01`, tracestate: 'a=1,b=2' },
    });
    const all = await spans(receiver, 2);
    assert.equal(named(all, 'EntryPoint').parentSpanId, parent);
    assert.equal(named(all, 'EntryPoint').traceId, trace);
    assert.equal(named(all, 'EntryPoint').traceState, 'a=1,b=2');
    assert.equal(seen[0]?.['traceparent'], `00-${trace}-${named(all, 'ReverseProxy').spanId}-01`);
    assert.equal(seen[0]?.['tracestate'], 'a=1,b=2');
  });

  test('with details show router, middlewares, auth call and service, each within the one before', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    await ask(gateway.port('web'), {
      host: 'detailed.test',
      target: '/a',
      headers: { Authorization: 'Bearer hush' },
    });
    const all = await spans(receiver, 7);
    const chain = ['EntryPoint', 'Router', 'AddPrefix', 'ForwardAuth', 'Service', 'ReverseProxy'];
    for (const [i, name] of chain.entries())
      if (i > 0) assert.equal(named(all, name).parentSpanId, named(all, chain[i - 1] as string).spanId, name);
    const authCall = named(all, 'AuthRequest');
    assert.equal(authCall.parentSpanId, named(all, 'ForwardAuth').spanId);
    assert.equal(authCall.kind, 3);
    assert.equal(authCall.attributes['url.full'], `${auth.url}/verify?token=REDACTED`);
    assert.equal(asked[0]?.['traceparent'], `00-${authCall.traceId}-${authCall.spanId}-01`);
    assert.equal(named(all, 'ForwardAuth').attributes['traefik.middleware.name'], 'auth@file');
    assert.equal(named(all, 'Router').attributes['traefik.router.name'], 'detailed@file');
    assert.equal(named(all, 'Service').attributes['traefik.service.name'], 'shop@file');
    assert.ok(!JSON.stringify(all).includes('hush'));
  });

  test('of an auth server’s no end with the middleware', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    const answer = await ask(gateway.port('web'), { host: 'detailed.test', target: '/no' });
    const all = await spans(receiver, 5);
    assert.equal(answer.status, 403);
    assert.equal(all.length, 5);
    assert.equal(named(all, 'AuthRequest').attributes['http.response.status_code'], 403);
    assert.equal(named(all, 'AuthRequest').status, 2);
    assert.equal(named(all, 'EntryPoint').status, 0);
  });

  test('show no auth call for a decision that was kept', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    for (const _ of [1, 2])
      await ask(gateway.port('web'), { host: 'cached.test', headers: { Authorization: 'Bearer x' } });
    const all = await spans(receiver, 11);
    assert.equal(all.filter(({ name }) => name === 'AuthRequest').length, 1);
    assert.equal(all.filter(({ name }) => name === 'ForwardAuth').length, 2);
  });

  test('say what went wrong', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    await ask(gateway.port('web'), { host: 'shop.test', target: '/fails' });
    await ask(gateway.port('web'), { host: 'dead.test' });
    await ask(gateway.port('web'), { host: 'nobody.test' });
    const all = await spans(receiver, 5);
    const roots = all.filter(({ name }) => name === 'EntryPoint');
    const byStatus = (status: number): SeenSpan | undefined =>
      roots.find((span) => span.attributes['http.response.status_code'] === status);
    assert.equal(byStatus(500)?.status, 2);
    assert.equal(byStatus(502)?.status, 2);
    assert.equal(byStatus(502)?.attributes['error.type'], 'upstream.connect_refused');
    assert.equal(byStatus(404)?.status, 0);
    assert.deepEqual(
      all.filter(({ name }) => name === 'ReverseProxy').map(({ status }) => status),
      [2, 2],
    );
  });

  test('are one for each attempt at a server', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    breaks = 2;
    const answer = await ask(gateway.port('web'), { host: 'again.test', target: '/breaks' });
    assert.equal(answer.status, 200);
    await spans(receiver, 4);
    const calls = receiver.spans.filter(({ name }) => name === 'ReverseProxy');
    assert.deepEqual(calls.map(({ status }) => status).sort(), [0, 2, 2]);
    assert.equal(new Set(seen.map((headers) => headers['traceparent'])).size, 3);
    assert.equal(new Set(calls.map(({ parentSpanId }) => parentSpanId)).size, 1);
  });

  test('last as long as a streamed answer and as a WebSocket', async (t) => {
    const receiver = await collector(t);
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.after(() => server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const config = dynamic({ ws: { rule: 'Host(`ws.test`)', service: 'ws' } }) as {
      http: { services: object };
    };
    config.http.services = { ...config.http.services, ws: { loadBalancer: { servers: [{ url }] } } };
    const gateway = await start(t, to(receiver), { dynamic: config });
    await ask(gateway.port('web'), { host: 'shop.test', target: '/slow' });
    const streamed = named(await spans(receiver, 2), 'EntryPoint');
    assert.ok(streamed.duration >= 140, `${streamed.duration} ms`);
    const upgraded = once(server, 'connection');
    const client = new WebSocket(`${gateway.url('web').replace('http', 'ws')}/x`, {
      headers: { Host: 'ws.test' },
    });
    await once(client, 'open');
    const [, request] = (await upgraded) as [unknown, { headers: Record<string, string> }];
    await new Promise((resolve) => setTimeout(resolve, 60));
    client.close();
    const all = await spans(receiver, 4);
    const roots = all.filter(({ name }) => name === 'EntryPoint');
    const tunnel = roots[1] as SeenSpan;
    assert.equal(tunnel.attributes['http.response.status_code'], 101);
    assert.ok(tunnel.duration >= 55, `${tunnel.duration} ms`);
    assert.match(request.headers['traceparent'] ?? '', new RegExp(`^00-${tunnel.traceId}-`));
  });
});

describe('what is not traced', () => {
  test('is told to servers, and a client’s own no is passed on', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver, { sampleRate: 0 }));
    await ask(gateway.port('web'), { host: 'shop.test' });
    await ask(gateway.port('web'), {
      host: 'shop.test',
      headers: { traceparent: `00-${trace}-${parent}-00` },
    });
    await ask(gateway.port('web'), {
      host: 'shop.test',
      headers: { traceparent: '00-junk', tracestate: 'a=1' },
    });
    assert.match(String(seen[0]?.['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(seen[1]?.['traceparent'], `00-${trace}-${parent}-00`);
    assert.match(String(seen[2]?.['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(seen[2]?.['tracestate'], undefined);
  });

  test('is what router, entry point or addInternals say', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver), {
      static: { entryPoints: { web: {}, quiet: { observability: { tracing: false } } } },
    });
    await ask(gateway.port('web'), { host: 'silent.test', headers: { traceparent: 'as it came' } });
    assert.equal(seen[0]?.['traceparent'], 'as it came');
    await ask(gateway.port('web'), { host: 'pong.test' });
    await ask(gateway.port('quiet'), { host: 'shop.test' });
    await ask(gateway.port('quiet'), { host: 'nobody.test' });
    await ask(gateway.port('web'), { host: 'shop.test', target: '/last' });
    const all = await spans(receiver, 2);
    assert.deepEqual(
      all.filter(({ name }) => name === 'EntryPoint').map(({ attributes }) => attributes['url.path']),
      ['/last'],
    );
  });
});

describe('the way to the collector', () => {
  test('may be gRPC, with headers', async (t) => {
    const receiver = await collector(t, { protocol: 'grpc' });
    const grpc = { endpoint: `127.0.0.1:${receiver.port}`, insecure: true, headers: { 'x-key': 'k' } };
    const gateway = await start(t, { otlp: { grpc } });
    await ask(gateway.port('web'), { host: 'shop.test', target: '/a' });
    const all = await spans(receiver, 2);
    assert.equal(named(all, 'ReverseProxy').parentSpanId, named(all, 'EntryPoint').spanId);
    assert.equal(named(all, 'EntryPoint').attributes['url.path'], '/a');
    assert.equal(named(all, 'EntryPoint').resource['service.name'], 'traefik');
    assert.equal(receiver.headers[0]?.['x-key'], 'k');
  });

  test('begins at /v1/traces unless the endpoint has a path', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    await ask(gateway.port('web'), { host: 'shop.test' });
    await spans(receiver, 2);
    assert.equal(receiver.headers[0]?.[':path'], '/v1/traces');
  });

  test('is closed: requests go on, one line says so, and one that it is open again', async (t) => {
    const receiver = await collector(t);
    await receiver.behave(400);
    const gateway = await start(t, to(receiver));
    for (const round of [1, 2, 3]) {
      const answer = await ask(gateway.port('web'), { host: 'shop.test' });
      assert.equal(answer.status, 200);
      await eventually('a refused batch', () => receiver.headers.length >= round);
    }
    await gateway.waitForLog(/do not reach their collector/);
    assert.equal(gateway.logs().match(/do not reach their collector/g)?.length, 1);
    await receiver.behave(200);
    await ask(gateway.port('web'), { host: 'shop.test' });
    await gateway.waitForLog(/reach their collector again/);
  });

  test('is taken by the last spans before the gateway ends', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver));
    await ask(gateway.port('web'), { host: 'shop.test' });
    await gateway.stop();
    assert.equal(receiver.spans.length, 2);
  });
});

describe('B3', () => {
  test('is read and written in one header', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver, { propagators: ['b3'] }));
    await ask(gateway.port('web'), { host: 'shop.test', headers: { b3: `${trace}-${parent}-1` } });
    await ask(gateway.port('web'), { host: 'shop.test', headers: { b3: '0' } });
    const all = await spans(receiver, 2);
    assert.equal(named(all, 'EntryPoint').parentSpanId, parent);
    assert.equal(seen[0]?.['b3'], `${trace}-${named(all, 'ReverseProxy').spanId}-1`);
    assert.equal(seen[1]?.['b3'], '0');
  });

  test('is chosen by OTEL_PROPAGATORS, in several headers', async (t) => {
    const receiver = await collector(t);
    const gateway = await start(t, to(receiver), { env: { OTEL_PROPAGATORS: 'b3multi,baggage' } });
    await ask(gateway.port('web'), {
      host: 'shop.test',
      headers: {
        'X-B3-TraceId': trace,
        'X-B3-SpanId': parent,
        'X-B3-Sampled': '1',
        'X-B3-ParentSpanId': parent,
      },
    });
    const all = await spans(receiver, 2);
    assert.equal(named(all, 'EntryPoint').parentSpanId, parent);
    assert.equal(seen[0]?.['x-b3-traceid'], trace);
    assert.equal(seen[0]?.['x-b3-spanid'], named(all, 'ReverseProxy').spanId);
    assert.equal(seen[0]?.['x-b3-parentspanid'], undefined);
    assert.equal(seen[0]?.['traceparent'], undefined);
  });
});

function pick(span: SeenSpan, ...prefixes: string[]): object {
  return Object.fromEntries(
    Object.entries(span.attributes).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))),
  );
}
