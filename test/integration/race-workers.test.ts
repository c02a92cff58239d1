// Workers that are told two things at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startGateway } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';

test('a shutdown in the middle of a roll lets the replaced worker finish what it runs', async (context) => {
  const held: (() => void)[] = [];
  const origin = await startOrigin({
    answer: (_asked, response) => void held.push(() => response.end('late')),
  });
  context.after(() => origin.stop());
  const gateway = await startGateway({
    dynamic: {
      http: {
        routers: { slow: { rule: 'Path(`/slow`)', service: 'slow', entryPoints: ['web'] } },
        services: { slow: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  context.after(() => gateway.stop());
  const answer = fetch(`${gateway.url('web')}/slow`).then((response) => response.text());
  await eventually('the server has it', () => held.length === 1);
  const [old] = gateway.workerPids();
  gateway.signal('SIGUSR2');
  await eventually('the new worker serves', () => gateway.logs().split('worker serves').length === 3);
  await sleep(100);
  gateway.signal('SIGTERM');
  await gateway.waitForLog(/shutdown has begun/);
  await sleep(300);
  assert.ok(gateway.workerPids().includes(old as number), 'it still runs');
  for (const end of held) end();
  assert.equal(await answer, 'late');
  assert.equal((await gateway.exited).code, 0);
});
