// A server that answers the handshake of a WebSocket wrongly: no tunnel opens, and the client hears why.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertOneFailure } from '../support/failure-log.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type ReadAnswer, readAnswer } from '../support/hostile-client.ts';
import { type HostileOrigin, startHostileOrigin } from '../support/hostile-origin.ts';
import { eachOf } from '../support/hostile-run.ts';
import { hostileUpgrades } from '../support/hostile-upgrades.ts';

const headers = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

for (const engine of ['uws', 'node'] as const) {
  describe(`a hostile WebSocket server behind the ${engine} engine`, () => {
    let origin: HostileOrigin;
    let gateway: TestGateway;
    const answers = new Map<string, ReadAnswer>();
    before(async () => {
      origin = await startHostileOrigin(hostileUpgrades);
      const url = `http://127.0.0.1:${origin.port}`;
      const strict = { forwardingTimeouts: { responseHeaderTimeout: '2s' } };
      gateway = await startGateway({
        engine,
        dynamic: {
          http: {
            routers: Object.fromEntries(
              hostileUpgrades.map(({ name }) => [name, { rule: `Path(\`/wrong/${name}\`)`, service: 'one' }]),
            ),
            services: { one: { loadBalancer: { servers: [{ url }], serversTransport: 'strict' } } },
            serversTransports: { strict },
          },
        },
      });
      await eachOf(hostileUpgrades, async ({ name }) => {
        answers.set(name, await readAnswer(gateway.port('web'), `/wrong/${name}`, { headers }));
      });
    });
    after(async () => {
      await gateway?.stop();
      await origin?.stop();
    });

    for (const { name, gets, body } of hostileUpgrades) {
      test(`${name}: ${gets}, and no tunnel`, async () => {
        const answer = answers.get(name) as ReadAnswer;
        assert.ok(gets.split('|').includes(answer.outcome), `${answer.outcome} instead of ${gets}`);
        assert.equal(answer.rest, '');
        assert.doesNotMatch(answer.head + answer.body, /SECRET|upgrade:/i);
        if (answer.outcome.endsWith('whole')) assert.equal(answer.body, body);
        assert.equal(origin.seen(`/wrong/${name}`), 1, 'the server is asked once');
        await eventually('the connection is closed', () => origin.open(`/wrong/${name}`) === 0);
        if (answer.outcome.startsWith('5')) await assertOneFailure(gateway, name);
      });
    }

    test('the worker lives and says nothing of bugs', () => {
      assert.equal(gateway.workerPids().length, 1);
      assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught|TypeError/i);
    });
  });
}
