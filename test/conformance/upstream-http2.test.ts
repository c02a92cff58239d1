// A server of HTTP/2 that answers wrongly, frame by frame: what its client gets, and that the calls which share
// its connection get exactly their own.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertOneFailure } from '../support/failure-log.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { askInTurn, type ReadAnswer, readAnswer } from '../support/hostile-client.ts';
import {
  hostileCompression,
  hostileConnections,
  type HostileHttp2,
  type HostileStream,
  hostileStreams,
  startHostileHttp2,
} from '../support/hostile-http2.ts';
import { eachOf } from '../support/hostile-run.ts';
import { residentBytes } from '../support/wire.ts';

/** Bytes a worker may grow by. */
const maxGrowth = 96 * 1024 * 1024;

for (const { title, list, isShared } of [
  { title: 'streams of HTTP/2 that go wrong', list: hostileStreams, isShared: true },
  { title: 'streams of HTTP/2 that cost their connection', list: hostileConnections, isShared: false },
  { title: 'compression of HTTP/2 that goes wrong', list: hostileCompression, isShared: false },
]) {
  describe(title, () => {
    let server: HostileHttp2;
    let gateway: TestGateway;
    const answers = new Map<string, ReadAnswer>();
    const problems: string[] = [];
    const memory = { before: 0, most: 0 };
    let users = 0;
    before(async () => {
      server = await startHostileHttp2();
      gateway = await startGateway({ dynamic: routes(server.url, list) });
      const [pid = 0] = gateway.workerPids();
      await askUser();
      memory.before = residentBytes(pid);
      const watch = setInterval(() => (memory.most = Math.max(memory.most, residentBytes(pid))), 50);
      await eachOf(list, async ({ name, gets }) => {
        const beside = askUser();
        const leaveAfter = gets.endsWith('open') ? 1_000 : 10_000;
        answers.set(name, await readAnswer(gateway.port('web'), `/wrong/${name}`, { leaveAfter }));
        await Promise.all([askUser(), beside]);
      });
      clearInterval(watch);
    });
    after(async () => {
      await gateway?.stop();
      await server?.stop();
    });

    const askUser = async (): Promise<void> => {
      if (list === hostileCompression) return;
      const targets = [1, 2, 3].map((turn) => `/user/${++users}-${turn}`);
      problems.push(...(await askInTurn(gateway.port('web'), targets)));
    };

    for (const { name, gets } of list) {
      test(`${name}: ${gets}`, async () => {
        const answer = answers.get(name) as ReadAnswer;
        // Another's frames may have cost it the connection before its own did.
        const allowed = (isShared ? gets : `${gets}|500|502|cut`).split('|');
        assert.ok(allowed.includes(answer.outcome), `${answer.outcome} instead of ${gets}`);
        assert.equal(answer.rest, '');
        assert.doesNotMatch(answer.head + answer.body, /SECRET|set-cookie/i);
        if (answer.outcome === '200 whole') assert.equal(answer.body, 'hello');
        if (/^5|cut/.test(answer.outcome)) await assertOneFailure(gateway, name);
      });
    }

    test('nobody gets what belongs to another, and the worker stays small', (t) => {
      // A call may lose its connection, and twice over: it fails then at once, and gets nothing of another's.
      const failed = /: (?:cut|50[02]) "(?:|[A-Z][A-Za-z ]+)"$/;
      const foreign = problems.filter((one) => isShared || !failed.test(one));
      assert.deepEqual(foreign, []);
      assert.ok(memory.most - memory.before < maxGrowth, JSON.stringify(memory));
      assert.equal(gateway.workerPids().length, 1);
      assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught|TypeError/i);
      t.diagnostic(`${list.length} wrong answers, ${users} users, ${server.accepted()} connections`);
      t.diagnostic(`${problems.length} users lost a call with the connection`);
      t.diagnostic(`worker ${memory.before >> 20} MB before, ${memory.most >> 20} MB at most`);
      t.diagnostic(list.map(({ name }) => `${name.padEnd(32)} ${answers.get(name)?.outcome}`).join('\n'));
    });
  });
}

function routes(url: string, list: readonly HostileStream[]): object {
  const routers: Record<string, object> = {
    user: { rule: 'PathPrefix(`/user/`)', service: 'one' },
  };
  for (const { name } of list) routers[name] = { rule: `Path(\`/wrong/${name}\`)`, service: 'one' };
  return {
    http: {
      routers,
      services: { one: { loadBalancer: { servers: [{ url }], serversTransport: 'strict' } } },
      serversTransports: { strict: { forwardingTimeouts: { responseHeaderTimeout: '3s' } } },
    },
  };
}
