// A storm of reloads under load, with a worker killed in its midst: no request ever sees two configurations.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

/** Long enough for the file to be read in part, and with enough objects for a change to travel as one. */
const fillers = 300;
const changes = 150;

let origin: Origin;
let gateway: TestGateway;
before(async () => {
  origin = await startOrigin({
    answer: (request, response) => {
      response.setHeader('x-path', request.url ?? '');
      response.end();
    },
  });
  gateway = await startGateway({ dynamic: textOf(0), workers: 2 });
});
after(async () => {
  await gateway.stop();
  await origin.stop();
});

/** Everything of a version names it: header, path, and a router that only it has. */
function textOf(version: number): string {
  const lines = ['http:', '  routers:'];
  for (let i = 0; i < fillers; i += 1) {
    lines.push(`    filler${i}: # ${'x'.repeat(150)}`);
    lines.push(`      rule: Host(\`filler${i}.test\`)`, '      service: origin');
    if (i === 100) {
      lines.push('    app:', '      rule: Host(`app.test`)', '      service: origin');
      lines.push(
        '      middlewares:',
        '        - header',
        `        - ${version % 3 === 0 ? 'path' : 'both'}`,
      );
      lines.push(`    only${version}:`, `      rule: Host(\`v${version}.test\`)`, '      service: origin');
    }
  }
  lines.push('  middlewares:', '    header:');
  lines.push('      headers:', '        customResponseHeaders:', `          X-Version: "/v${version}"`);
  lines.push('    path:', `      replacePath: {path: /v${version}}`);
  if (version % 3 !== 0) lines.push('    both:', '      chain: {middlewares: [path]}');
  lines.push(
    '  services:',
    '    origin:',
    '      loadBalancer:',
    `        servers: [{url: "${origin.url}"}]`,
  );
  return `${lines.join('\n')}\n`;
}

async function versionsSeen(): Promise<readonly string[]> {
  const answer = await ask(gateway.port('web'), { host: 'app.test' });
  assert.equal(answer.status, 200);
  return answer.headers
    .filter((line) => /^x-(?:version|path):/.test(line))
    .map((line) => line.replace(/^[^:]*: /, ''));
}

test('a storm of reloads: every answer is of one configuration, and all workers end at the last one', async () => {
  let isOver = false;
  const mixed: string[] = [];
  let asked = 0;
  let broken = 0;
  const client = async (): Promise<void> => {
    while (!isOver) {
      try {
        const seen = await versionsSeen();
        asked += 1;
        if (new Set(seen).size !== 1) mixed.push(seen.join(' '));
      } catch (error) {
        // The killed worker takes its own connections along, and nothing else.
        if ((error as { code?: string }).code !== 'ECONNRESET' && !/socket hang up/.test(String(error)))
          throw error;
        broken += 1;
      }
    }
  };
  const clients = Array.from({ length: 4 }, client);
  for (let version = 1; version <= changes; version += 1) {
    gateway.putDynamic(textOf(version));
    if (version === 60) process.kill(gateway.workerPids()[0] as number, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await eventually('both workers run the last configuration', async () => {
    const { version, workers } = await gateway.status();
    const running = workers.filter(({ state }) => state === 'running');
    const isLast = (await versionsSeen())[0] === `/v${changes}`;
    return isLast && running.length === 2 && running.every((worker) => worker.version === version);
  });
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(mixed, []);
  assert.ok(asked > 100, `${asked} requests`);
  assert.ok(broken <= 8, `${broken} requests broke off`);
  for (let i = 0; i < 30; i += 1) {
    assert.deepEqual(await versionsSeen(), [`/v${changes}`, `/v${changes}`]);
  }
  const old = await ask(gateway.port('web'), { host: `v${changes - 1}.test` });
  assert.equal(old.status, 404);
  assert.doesNotMatch(gateway.logs(), /gateway\.bug|uncaught/i);
});

test('a file that goes wrong and comes back, again and again, ends as it would alone', async () => {
  for (let round = 0; round < 5; round += 1) {
    gateway.putDynamic(textOf(1000 + round).replace('    app:', '   app:'));
    gateway.putDynamic(textOf(1000 + round).slice(0, 40_000));
    gateway.putDynamic(textOf(2000 + round));
    await eventually('it is running', async () => (await versionsSeen())[0] === `/v${2000 + round}`);
  }
  for (let i = 0; i < 10; i += 1) assert.deepEqual(await versionsSeen(), ['/v2004', '/v2004']);
});
