// An auth server that answers wrongly in every way there is: it never admits by that, nothing of it is kept, and
// no other user gets another's identity.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type HostileAnswer, hostileAnswers } from '../support/hostile-answers.ts';
import { askInTurn, type ReadAnswer, readAnswer } from '../support/hostile-client.ts';
import { type HostileOrigin, startHostileOrigin } from '../support/hostile-origin.ts';
import { eachOf } from '../support/hostile-run.ts';

/** Milliseconds until an auth call that stands still is given up. */
const timeout = 2_000;
const asAuth = hostileAnswers.filter(({ asked }) => asked === 'GET');

interface Asked {
  readonly first: ReadAnswer;
  readonly second: ReadAnswer;
}

for (const engine of ['uws', 'node'] as const) {
  describe(`a hostile auth server behind the ${engine} engine`, () => {
    let auth: HostileOrigin;
    let origin: HostileOrigin;
    let gateway: TestGateway;
    const asked = new Map<string, Asked>();
    const strangers: string[] = [];
    let users = 0;
    before(async () => {
      [auth, origin] = await Promise.all([startHostileOrigin(), startHostileOrigin()]);
      gateway = await startGateway({ engine, dynamic: guarded(auth.port, origin.port) });
      await eachOf(asAuth, async (wrong) => {
        const beside = askUser();
        const headers = [`Authorization: Bearer wrong.${wrong.name}`];
        const target = `/user/${wrong.name}`;
        const first = await readAnswer(gateway.port('web'), target, { headers });
        await Promise.all([askUser(), beside]);
        const second = await readAnswer(gateway.port('web'), target, { headers });
        asked.set(wrong.name, { first, second });
      });
    });
    after(async () => {
      await gateway?.stop();
      await Promise.all([auth?.stop(), origin?.stop()]);
    });

    const askUser = async (): Promise<void> => {
      const user = `user${++users}`;
      strangers.push(...(await askInTurn(gateway.port('web'), [`/user/${user}`, `/user/${user}-b`], user)));
    };

    for (const wrong of asAuth) {
      const outcome = outcomeAsAuth(wrong);
      test(`${wrong.name}: ${outcome}`, () => {
        const { first, second } = asked.get(wrong.name) as Asked;
        assert.equal(first.outcome, outcome);
        assert.equal(second.outcome, outcome);
        assert.doesNotMatch(first.body + second.body, /SECRET/);
        const through = origin.seen(`/user/${wrong.name}`);
        if (outcome === '200 whole') assert.equal(through, 2);
        else {
          assert.equal(through, 0, 'the service hears nothing of it');
          // A call that found a kept connection ended is asked once more on another.
          const asks = auth.seen(`/wrong/${wrong.name}`);
          const most = wrong.pieces.join('') === '' && wrong.finish !== 'stay' ? 4 : 2;
          assert.ok(asks >= 2 && asks <= most, `asked ${asks} times: nothing was kept`);
        }
        if (!wrong.reused)
          assert.equal(auth.after(`/wrong/${wrong.name}`), 0, 'its connection is not used again');
      });
    }

    test('every other user is himself, and the log has one line for each failure', async (t) => {
      assert.deepEqual(strangers, []);
      const lines = (): string[] =>
        gateway
          .logs()
          .split('\n')
          .filter((line) => line.includes('"Request failed"'));
      const failures = asAuth.filter((wrong) => outcomeAsAuth(wrong) === '500').length * 2;
      await eventually('the lines', () => lines().length >= failures);
      assert.equal(lines().length, failures);
      for (const line of lines()) {
        assert.match(line, /"code":"auth\.(?:bad_answer|unreachable|timeout)","blame":"auth"/);
        assert.ok(line.length < 1_024);
      }
      assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught|TypeError/i);
      t.diagnostic(`${asAuth.length} wrong answers twice each, ${users} users, ${failures} refused`);
    });
  });
}

function guarded(auth: number, origin: number): object {
  const forwardAuth = {
    address: `http://127.0.0.1:${auth}/auth`,
    authResponseHeaders: ['X-User'],
    timeout: `${timeout}ms`,
    cache: { ttl: '60s', key: ['header:Authorization'] },
  };
  return {
    http: {
      routers: { guarded: { rule: 'PathPrefix(`/user/`)', service: 'one', middlewares: ['guard'] } },
      middlewares: { guard: { forwardAuth } },
      services: { one: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${origin}` }] } } },
    },
  };
}

/** A whole 2xx is a "yes" whatever else is wrong with it; any other whole answer is the client's; the rest is no answer. */
function outcomeAsAuth({ gets }: HostileAnswer): string {
  if (gets === '204 whole') return '200 whole';
  return gets.endsWith('whole') ? gets : '500';
}
