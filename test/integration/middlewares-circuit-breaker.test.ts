// circuitBreaker on the wire: when it opens, what passes, and what of it outlives a reload.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { eventually } from '../support/gateway.ts';
import { get, type Setup, setUp, tearDown } from '../support/middleware-setup.ts';

describe('circuitBreaker', () => {
  const brief = { checkPeriod: '1ms', fallbackDuration: '300ms', recoveryDuration: '300ms' };
  let setup: Setup;
  before(async () => {
    setup = await setUp(
      {
        codes: { circuitBreaker: { expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5', ...brief } },
        teapot: {
          circuitBreaker: { expression: 'ResponseCodeRatio(500,600,0,600)>=1', ...brief, responseCode: 418 },
        },
        slow: { circuitBreaker: { expression: 'LatencyAtQuantileMS(50.0) > 60', ...brief } },
        net: {
          circuitBreaker: {
            expression: 'NetworkErrorRatio() > 0.3 && (ResponseCodeRatio(500, 600, 0, 600) > 0.1)',
            ...brief,
          },
        },
        long: {
          circuitBreaker: {
            expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5',
            checkPeriod: '1ms',
            fallbackDuration: '60s',
          },
        },
        wrong: { circuitBreaker: { expression: 'ResponseCodeRatio(500, 600) > 0.5' } },
        empty: { circuitBreaker: { checkPeriod: '1s' } },
      },
      { refused: { use: ['net'], service: 'dead' }, 'long-too': { use: ['long'] } },
    );
  });
  after(() => tearDown(setup));
  beforeEach(() => {
    setup.origin.requests.length = 0;
    setup.origin.answerWith((request, response) => {
      response.statusCode = request.url === '/bad' ? 500 : 200;
      response.end('origin');
    });
  });

  /** Opens the breaker of a host by one bad answer. */
  async function trip(host: string): Promise<void> {
    assert.equal((await get(setup, host, { target: '/bad' })).status, 500);
    assert.equal(setup.origin.requests.length, 1);
    setup.origin.requests.length = 0;
  }

  test('bad answers open it, nothing passes for a while, then more and more until all does', async () => {
    await trip('codes');
    const refused = await get(setup, 'codes');
    assert.deepEqual([refused.status, refused.body], [503, 'Service Unavailable']);
    assert.equal(setup.origin.requests.length, 0);
    await eventually('it is closed again', async () => {
      await get(setup, 'codes');
      return /codes@file is closed again/.test(setup.gateway.logs());
    });
    assert.ok(setup.origin.requests.length > 0);
    for (let i = 0; i < 5; i++) assert.equal((await get(setup, 'codes')).status, 200);
    const log = setup.gateway.logs();
    assert.match(log, /circuitBreaker codes@file of router codes@file has opened/);
    assert.match(log, /circuitBreaker codes@file of router codes@file lets a growing share pass/);
  });

  test('a bad answer while it recovers opens it again', async () => {
    await trip('teapot');
    assert.deepEqual((await get(setup, 'teapot')).status, 418);
    await setup.gateway.waitForLog(/teapot@file has opened/);
    await eventually('it opens a second time', async () => {
      await get(setup, 'teapot', { target: '/bad' });
      return setup.gateway.logs().split('teapot@file has opened').length > 2;
    });
  });

  test('latency opens it, measured to the head of the answer', async () => {
    setup.origin.answerWith((_request, response) => {
      response.writeHead(200).write('head ');
      setTimeout(() => response.end('tail'), 120);
    });
    assert.equal((await get(setup, 'slow')).status, 200);
    assert.equal((await get(setup, 'slow')).status, 200);
    setup.origin.answerWith((_request, response) => void setTimeout(() => response.end('late'), 120));
    for (let i = 0; i < 3; i++) await get(setup, 'slow');
    assert.equal((await get(setup, 'slow')).status, 503);
  });

  test('servers that cannot be reached open it', async () => {
    assert.equal((await get(setup, 'refused')).status, 502);
    assert.equal((await get(setup, 'refused')).status, 503);
  });

  test('each router has its own, and it stays open over a reload that does not change it', async () => {
    await trip('long');
    assert.equal((await get(setup, 'long')).status, 503);
    assert.equal((await get(setup, 'long-too')).status, 200);
    await setup.gateway.writeDynamic(setup.config({ other: { addPrefix: { prefix: '/x' } } }));
    assert.equal((await get(setup, 'long')).status, 503);
    const other = {
      circuitBreaker: {
        expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5',
        checkPeriod: '1ms',
        fallbackDuration: '50s',
      },
    };
    await setup.gateway.writeDynamic(setup.config({ long: other }));
    assert.equal((await get(setup, 'long')).status, 200);
  });

  test('bad options are told with their place, and only their routers answer 503', async () => {
    assert.equal((await get(setup, 'wrong')).status, 503);
    assert.equal((await get(setup, 'empty')).status, 503);
    const messages = (await setup.gateway.status()).diagnostics.map(({ message }) => message).join('\n');
    assert.match(messages, /ResponseCodeRatio takes 4 numbers, not 2/);
    assert.equal(setup.origin.requests.length, 0);
  });
});
