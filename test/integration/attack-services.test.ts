// What a client can do to services: get round the limits of one, have a server taken for dead, or garble a mirror.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Answer, type Ask, ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { openRaw } from '../support/wire.ts';

const plugin = `
  import { CONTINUE, section } from 'portcullis/plugin';
  export const middleware = {
    schema: section({}),
    build: () => ({ request: () => CONTINUE, end() { throw new Error('at the end'); } }),
  };`;

describe('attacks on services', () => {
  let gateway: TestGateway;
  let origin: Origin;
  let mirror: Origin;
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-attack-'));
  /** Requests that wait at the server for their answer. */
  let held: (() => void)[] = [];
  let failures = 0;

  before(async () => {
    writeFileSync(join(folder, 'ends.mjs'), plugin);
    origin = await startOrigin({
      answer: async (request, response) => {
        if (request.url === '/hold') await new Promise<void>((resolve) => held.push(resolve));
        if (request.url === '/404') response.statusCode = 404;
        if (request.url === '/chunks') {
          response.setHeader('content-type', 'text/plain');
          response.write('a'.repeat(3000));
          await new Promise(setImmediate);
        }
        if (failures > 0) {
          failures -= 1;
          response.statusCode = 502;
        }
        response.end('ok');
      },
    });
    mirror = await startOrigin({ name: 'mirror' });
    const server = { loadBalancer: { servers: [{ url: origin.url }] } };
    const passive = { failureWindow: '30s', maxFailedAttempts: 1 };
    gateway = await startGateway({
      static: { plugins: { ends: { module: join(folder, 'ends.mjs') } } },
      dynamic: {
        http: {
          routers: {
            wide: { rule: 'Host(`wide.test`)', service: 'narrow', middlewares: ['limit'] },
            brake: { rule: 'Host(`brake.test`)', service: 'braked', middlewares: ['brake'] },
            pressed: { rule: 'Host(`pressed.test`)', service: 'pressed', middlewares: ['press'] },
            other: { rule: 'Host(`other.test`)', service: 'narrow' },
            // Of the same name as a service.
            narrow: { rule: 'Host(`narrow.test`)', service: 'plain', middlewares: ['limit'] },
            ends: { rule: 'Host(`ends.test`)', service: 'ends' },
            resend: {
              rule: 'Host(`resend.test`)',
              service: 'plain',
              middlewares: ['resend', 'to503', 'resend'],
            },
            rebuffer: {
              rule: 'Host(`rebuffer.test`)',
              service: 'plain',
              middlewares: ['rebuffer', 'to503', 'rebuffer'],
            },
            passive: { rule: 'Host(`passive.test`)', service: 'passive', middlewares: ['web'] },
            webbuffer: { rule: 'Host(`webbuffer.test`)', service: 'plain', middlewares: ['web', 'again'] },
            twice: { rule: 'Host(`twice.test`)', service: 'web', middlewares: ['web'] },
            mirrored: { rule: 'Host(`mirrored.test`)', service: 'mirrored', middlewares: ['again'] },
          },
          middlewares: {
            limit: { inFlightReq: { amount: 1, sourceCriterion: { requestHeaderName: 'x-source' } } },
            brake: { circuitBreaker: { expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5' } },
            ends: { plugin: { ends: {} } },
            press: { compress: { encodings: ['gzip'], minResponseBodyBytes: 1 } },
            web: { grpcWeb: { allowOrigins: ['*'] } },
            resend: { retry: { attempts: 3, status: ['503'], initialInterval: '0ms' } },
            rebuffer: { buffering: { retryExpression: 'ResponseCode() == 503 && Attempts() <= 2' } },
            to503: {
              errors: { status: ['404'], service: 'plain', query: '/', statusRewrites: { 404: 503 } },
            },
            again: {
              buffering: {
                memRequestBodyBytes: 10,
                retryExpression: 'ResponseCode() == 502 && Attempts() < 3',
              },
            },
          },
          services: {
            plain: server,
            narrow: { ...server, middlewares: ['limit'] },
            braked: { ...server, middlewares: ['brake'] },
            pressed: { ...server, middlewares: ['press'] },
            ends: { ...server, middlewares: ['ends', 'limit'] },
            passive: { loadBalancer: { servers: [{ url: origin.url }], passiveHealthCheck: passive } },
            web: { ...server, middlewares: ['web'] },
            main: server,
            copy: { loadBalancer: { servers: [{ url: mirror.url }] } },
            mirrored: { mirroring: { service: 'main', mirrors: [{ name: 'copy', percent: 100 }] } },
          },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    await Promise.all([origin?.stop(), mirror?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const go of held) go();
    held = [];
    failures = 0;
  });

  const get = (name: string, rest: Partial<Ask> = {}): Promise<Answer> =>
    ask(gateway.port('web'), { ...rest, host: `${name}.test` });

  test('a limit on a router does not stand in for the same limit on its service', async () => {
    // Another route to the same service: what runs there is no request of the router `wide`.
    const open = hold('other');
    await open.there;
    assert.equal((await get('wide')).status, 429);
    open.go();
    assert.equal((await open.answer).status, 200);
    assert.equal((await get('wide')).status, 200);
  });

  test('a breaker on a router sees answers that the same breaker on its service has seen', async () => {
    failures = 3;
    for (let i = 0; i < 3; i++) await get('brake');
    await eventually('both have opened', () =>
      ['router brake@file', 'service braked@file'].every((who) =>
        gateway.logs().includes(`brake@file of ${who} has opened`),
      ),
    );
  });

  test('a router and a service of one name count apart', async () => {
    const open = hold('narrow');
    await open.there;
    assert.equal((await get('narrow')).status, 429);
    assert.equal((await get('other')).status, 200);
    open.go();
    assert.equal((await open.answer).status, 200);
  });

  test('an end hook that throws keeps no other from giving back what it counted', async () => {
    assert.equal((await get('ends')).status, 200);
    assert.equal((await get('ends')).status, 200);
  });

  test('a body that is no base64 says nothing about the server', async () => {
    await get('passive', {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web-text' },
      body: '!!!! no base64 !!!!',
    }).catch(() => {});
    assert.equal((await get('passive')).status, 200);
  });

  test('a body that is no base64 is the mistake of its client, not of the gateway', async () => {
    const headers = { 'content-type': 'application/grpc-web-text' };
    const answer = await get('webbuffer', { method: 'POST', headers, body: '!!!! no base64 !!!!' });
    assert.equal(answer.status, 400);
    assert.ok(!gateway.logs().includes('the client went away'));
  });

  test('a client that goes in the middle of its body says nothing about the server', async () => {
    for (let i = 0; i < 5; i++) {
      const client = await openRaw(gateway.port('web'));
      client.write('POST / HTTP/1.1\r\nHost: passive.test\r\nContent-Length: 900000\r\n\r\nabc');
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.destroy();
    }
    assert.equal((await get('passive')).status, 200);
  });

  test('what a router and its service both compress is compressed once', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write(
      'GET /chunks HTTP/1.1\r\nHost: pressed.test\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n',
    );
    const text = await client.closed();
    assert.equal(text.match(/^content-encoding: gzip/gim)?.length, 1);
    const [, body = ''] = /\r\n\r\n(.*)$/s.exec(text) ?? [];
    const isChunked = /^transfer-encoding: chunked/im.test(text);
    const bytes = Buffer.from(isChunked ? unchunked(body) : body, 'latin1');
    assert.match(gunzipSync(bytes).toString(), /^a{3000}ok$/);
  });

  test('middlewares that send again do not begin anew within one another for ever', async () => {
    for (const name of ['resend', 'rebuffer']) {
      origin.requests.length = 0;
      assert.equal((await get(name, { target: '/404' })).status, 500);
      assert.ok(origin.requests.length <= 1000, `${origin.requests.length} requests`);
    }
  });

  test('a router and its service that both speak gRPC-Web allow a page once', async () => {
    const headers = { 'content-type': 'application/grpc-web', origin: 'https://page.test' };
    const answer = await get('twice', { method: 'POST', headers, body: 'x' });
    const allowed = answer.headers.filter((line) => line.startsWith('access-control-allow-origin'));
    assert.deepEqual(allowed, ['access-control-allow-origin: https://page.test']);
  });

  test('a request that is sent again is mirrored as it was', async () => {
    failures = 2;
    mirror.requests.length = 0;
    const body = 'x'.repeat(5000);
    assert.equal((await get('mirrored', { method: 'POST', body })).status, 200);
    await eventually('the mirror has it', () => mirror.requests.length > 0);
    assert.equal(mirror.requests[0]?.body.length, body.length);
    assert.equal(mirror.requests.length, 1);
  });

  function hold(name: string): { there: Promise<unknown>; answer: Promise<Answer>; go(): void } {
    const before = held.length;
    const answer = get(name, { target: '/hold' });
    return {
      answer,
      there: eventually('the request is at the server', () => held.length > before),
      go: () => held.at(-1)?.(),
    };
  }
});

function unchunked(body: string): string {
  let text = '';
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.slice(at, end), 16);
    if (!(length > 0)) return text;
    text += body.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
}
