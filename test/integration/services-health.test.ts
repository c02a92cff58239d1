// Servers that fail: who notices, what becomes of their requests, and when they are asked again.

import assert from 'node:assert/strict';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { routesTo } from '../support/wire.ts';

describe('health seen by requests', () => {
  let gateway: TestGateway;
  let good: Origin;
  let bad: Origin;
  let status = 200;

  before(async () => {
    good = await startOrigin({ name: 'good' });
    bad = await startOrigin({
      answer: (request, response) => {
        response.statusCode = request.url === '/health' ? 200 : status;
        response.end('bad');
      },
    });
    const [closed] = await freePorts(1);
    const servers = [{ url: good.url }, { url: bad.url }];
    gateway = await startGateway({
      workers: 2,
      dynamic: routesTo({
        once: { servers, passiveHealthCheck: { failureWindow: '4s' } },
        thrice: {
          servers: [{ url: bad.url }],
          passiveHealthCheck: { failureWindow: '1h', maxFailedAttempts: 3 },
        },
        refused: {
          servers: [{ url: good.url }, { url: `http://127.0.0.1:${closed}` }],
          passiveHealthCheck: { failureWindow: '1h' },
        },
        both: {
          servers,
          passiveHealthCheck: { failureWindow: '1h' },
          healthCheck: { path: '/health', interval: '300ms', timeout: '1s', rise: 2 },
        },
      }),
    });
  });
  after(async () => {
    await gateway?.stop();
    await good?.stop();
    await bad?.stop();
  });

  // A connection of its own each time: the kernel deals them out to the workers.
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`${gateway.url('web')}${path}`, { headers: { connection: 'close' } });
    return `${answer.status} ${(await answer.text()).trim()}`;
  };

  async function stateOf(service: string): Promise<Record<string, string>> {
    const answer = await fetch(`${gateway.url('traefik')}/api/http/services/${service}@file`);
    return ((await answer.json()) as { serverStatus: Record<string, string> }).serverStatus;
  }

  test('one failure takes a server out in every worker, for one window', async () => {
    status = 500;
    await eventually('the bad server is asked', async () => (await get('/once')) === '500 bad');
    await eventually('the API knows', async () => (await stateOf('once'))[bad.url] === 'DOWN');
    await eventually('both workers know', async () => {
      const answers: string[] = [];
      for (let i = 0; i < 12; i++) answers.push(await get('/once'));
      return answers.every((answer) => answer === '200 good');
    });
    status = 200;
    await eventually('it is back', async () => (await get('/once')) === '200 bad');
    assert.equal((await stateOf('once'))[bad.url], 'UP');
  });

  test('failures are counted in a row, and the last server down leaves 503', async () => {
    for (let round = 0; round < 3; round++) {
      status = 500;
      assert.equal(await get('/thrice'), '500 bad');
      status = 200;
      // Each worker counts its own: a good answer for both.
      for (let i = 0; i < 12; i++) assert.equal(await get('/thrice'), '200 bad');
    }
    status = 500;
    await eventually('it is down', async () => (await get('/thrice')) === '503 no available server');
    status = 200;
    assert.equal(await get('/thrice'), '503 no available server');
  });

  test('a server that cannot be reached is out after one attempt, which another server answers', async () => {
    for (let i = 0; i < 10; i++) assert.equal(await get('/refused'), '200 good');
    await eventually('the API knows', async () => Object.values(await stateOf('refused')).includes('DOWN'));
  });

  test('where probes go on, they say when a failing server is back', async () => {
    status = 502;
    await eventually('the bad server is asked', async () => (await get('/both')) === '502 bad');
    await eventually('it is down', async () => (await stateOf('both'))[bad.url] === 'DOWN');
    status = 200;
    await eventually('probes bring it back', async () => (await get('/both')) === '200 bad');
  });

  test('what is down stays down over a reload that leaves its service as it is', async () => {
    const dynamic = routesTo({
      thrice: {
        servers: [{ url: bad.url }],
        passiveHealthCheck: { failureWindow: '1h', maxFailedAttempts: 3 },
      },
      other: good.url,
    });
    await gateway.writeDynamic(dynamic);
    assert.equal(await get('/other'), '200 good');
    assert.equal(await get('/thrice'), '503 no available server');
  });
});

describe('health seen by probes', () => {
  let gateway: TestGateway;
  let good: Origin;
  let silent: Origin;
  let failing: Origin;
  let isFailing = false;

  before(async () => {
    good = await startOrigin({ name: 'good' });
    silent = await startOrigin({
      answer: (request, response) => void (request.url !== '/health' && response.end('silent')),
    });
    failing = await startOrigin({
      answer: (request, response) => {
        response.statusCode = request.url === '/health' && isFailing ? 500 : 200;
        response.end('failing');
      },
    });
    gateway = await startGateway({
      dynamic: routesTo({
        parallel: {
          servers: [{ url: silent.url }, { url: failing.url }],
          healthCheck: { path: '/health', interval: '100ms', timeout: '30s' },
        },
        thresholds: {
          servers: [{ url: good.url }, { url: failing.url }],
          healthCheck: { path: '/health', interval: '100ms', timeout: '1s', fall: 3, rise: 3 },
        },
        initial: {
          servers: [{ url: silent.url }],
          healthCheck: { path: '/health', interval: '1h', timeout: '1h', initial: 'down' },
        },
      }),
    });
  });
  after(async () => {
    await gateway?.stop();
    for (const origin of [good, silent, failing]) await origin?.stop();
  });

  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`${gateway.url('web')}${path}`);
    return `${answer.status} ${(await answer.text()).trim()}`;
  };

  test('a probe that gets no answer keeps no other server waiting', async () => {
    isFailing = true;
    await eventually('the failing one is out', async () => {
      const answers = await Promise.all(Array.from({ length: 4 }, () => get('/parallel')));
      return answers.every((answer) => answer === '200 silent');
    });
    isFailing = false;
    await eventually('it is back', async () => (await get('/parallel')) === '200 failing');
  });

  test('fall and rise count probes in a row', async () => {
    const probes = (): number => failing.requests.filter(({ target }) => target === '/health').length;
    assert.equal(probes() > 0, true);
    isFailing = true;
    await gateway.waitForLog(/"service":"thresholds@file"[^\n]*"message":"server is down"/);
    isFailing = false;
    await gateway.waitForLog(/"service":"thresholds@file"[^\n]*"message":"server is up"/);
  });

  test('initial down keeps a server out until its first good probe', async () => {
    assert.equal(await get('/initial'), '503 no available server');
  });
});

describe('health told by gRPC', () => {
  let gateway: TestGateway;
  let server: Http2Server;
  let state = 1;
  let seen: Record<string, unknown> = {};

  before(async () => {
    server = createServer();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      seen = headers;
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': state === 0 ? '12' : '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, state]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const good = { url: `http://127.0.0.1:${port}` };
    gateway = await startGateway({
      dynamic: routesTo({
        grpc: { servers: [good], healthCheck: { mode: 'grpc', path: '/', interval: '100ms' } },
      }),
    });
  });
  after(async () => {
    await gateway?.stop();
    await new Promise<void>((resolve) => server?.close(() => resolve()));
  });

  async function isUp(): Promise<boolean> {
    const answer = await fetch(`${gateway.url('traefik')}/api/http/services/grpc@file`);
    const { serverStatus } = (await answer.json()) as { serverStatus: Record<string, string> };
    return Object.values(serverStatus)[0] === 'UP';
  }

  test('only SERVING is up', async () => {
    await eventually('it is asked', () => seen[':path'] === '/grpc.health.v1.Health/Check');
    assert.equal(seen['content-type'], 'application/grpc');
    assert.equal(await isUp(), true);
    state = 2;
    await eventually('NOT_SERVING is down', async () => !(await isUp()));
    state = 1;
    await eventually('SERVING is up', isUp);
    state = 0;
    await eventually('an error status is down', async () => !(await isUp()));
  });
});

describe('a server that leaves the configuration', () => {
  test('gets no request any more, and finishes those it has', async () => {
    let finish: () => void = () => {};
    const slow = await startOrigin({
      answer: (_request, response) => {
        response.writeHead(200, { 'content-length': '8' });
        response.write('slow');
        finish = () => response.end('done');
      },
    });
    const fast = await startOrigin({ name: 'fast' });
    const gateway = await startGateway({ dynamic: routesTo({ app: { servers: [{ url: slow.url }] } }) });
    try {
      const running = await fetch(`${gateway.url('web')}/app`);
      await gateway.writeDynamic(routesTo({ app: { servers: [{ url: fast.url }] } }));
      for (let i = 0; i < 5; i++) {
        assert.equal(await (await fetch(`${gateway.url('web')}/app`)).text(), 'fast');
      }
      await gateway.writeDynamic(routesTo({ other: fast.url }));
      assert.equal(slow.requests.length, 1);
      finish();
      assert.equal(await running.text(), 'slowdone');
    } finally {
      finish();
      await gateway.stop();
      await slow.stop();
      await fast.stop();
    }
  });
});
