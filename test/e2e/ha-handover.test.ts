// The whole process replaced under connection-per-request and kept connections, on a network of its own where the
// kernel hands a closing listener's waiting connections to the next one, and on one where it does not.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startGateway } from '../support/gateway.ts';
import { missingTools, runWrk } from '../support/load.ts';
import { startOrigin } from '../support/origin.ts';
import { startClients } from '../support/steady-clients.ts';

const prepare = 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req';
// In a user namespace it works without root, where the system allows those.
const isolate = process.getuid?.() === 0 ? '-n' : '-rn';
const titles = {
  1: 'with net.ipv4.tcp_migrate_req=1 three handovers lose no connection',
  0: 'with net.ipv4.tcp_migrate_req=0 a handover loses at most what just arrived',
} as const;

const own = process.env['PORTCULLIS_TEST_MIGRATE'];
if (own !== undefined) test(own, { timeout: 80_000 }, (t) => replaceThreeTimes(t, own === '1'));
else {
  const skip = missingTools('wrk') || noOwnNetwork();
  for (const migrate of [1, 0] as const)
    test(titles[migrate], { skip, timeout: 90_000 }, async (t) => {
      const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
      const self = fileURLToPath(import.meta.url);
      const script = `${prepare.replace('echo 1', `echo ${migrate}`)} && exec "$0" --test-reporter=tap "$1"`;
      const child = spawn('unshare', [isolate, 'sh', '-c', script, process.execPath, self], {
        env: { ...env, PORTCULLIS_TEST_MIGRATE: String(migrate) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const timer = setTimeout(() => child.kill('SIGTERM'), 80_000);
      const [code] = (await once(child, 'close')) as [number];
      clearTimeout(timer);
      for (const [, line = ''] of output.matchAll(/# (handover: .*)/g)) t.diagnostic(line);
      assert.equal(code, 0, output);
    });
}

async function replaceThreeTimes(t: { diagnostic(text: string): void }, lossless: boolean): Promise<void> {
  const origin = await startOrigin();
  for (let round = 1; round <= 3; round += 1) {
    const gateway = await startGateway({
      workers: 2,
      dynamic: {
        http: {
          routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
          services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
        },
      },
    });
    const kept = startClients({ port: gateway.port('web'), connections: 8, reconnect: true });
    const closing = startClients({ port: gateway.port('web'), connections: 8, close: true, reconnect: true });
    const load = runWrk({ url: gateway.url('web'), seconds: 6, connections: 32, close: true });
    await sleep(500);
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const flags = ['handover', `--pid=${gateway.pid}`, `--configFile=${join(gateway.dir, 'static.yml')}`];
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const successor = spawn(process.execPath, [main, ...flags], { cwd: gateway.dir, env, stdio: 'ignore' });
    const ended = once(successor, 'exit');
    try {
      const report = await load;
      await Promise.all([kept.stop(), closing.stop()]);
      assert.equal((await gateway.exited).code, 0);
      const lost = closing.losses.length;
      t.diagnostic(
        `handover: ${report.requests + kept.answered() + closing.answered()} answered; ` +
          `wrk: ${report.errors.join(', ') || 'no error'}; a connection each: ${lost} lost; kept: ${kept.losses.length} lost`,
      );
      assert.equal(report.non2xx, 0, report.output);
      // A kept connection is told that it ends with its next answer, or ended 0.25 s later: who asked for nothing for
      // so long, on a machine that has no time for him, may find it ended under his request, and asks again.
      const ended = kept.losses.filter(
        ({ kind, answeredBefore }) => kind === 'unanswered' && answeredBefore > 0,
      );
      const others = kept.losses.filter((loss) => !ended.includes(loss));
      assert.ok(ended.length <= 1, JSON.stringify(ended));
      if (lossless) assert.deepEqual([report.errors, closing.losses, others], [[], [], []], report.output);
      else
        assert.ok(
          lost <= 16 && others.every(({ answeredBefore }) => answeredBefore === 0),
          JSON.stringify([closing.losses, others]),
        );
    } finally {
      successor.kill('SIGTERM');
      await ended;
      await gateway.stop();
    }
  }
  await origin.stop();
}

/** A reason to skip, or false. */
function noOwnNetwork(): string | false {
  const tried = spawnSync('unshare', [isolate, 'sh', '-c', prepare], { stdio: 'ignore' });
  if (tried.status === 0) return false;
  const reason =
    'NOT TESTED: needs unshare (as root, or user namespaces), iproute2 and Linux 5.14 for a network of its own';
  process.stderr.write(`!! ${reason}\n`);
  return reason;
}
