// Workers replaced under connection-per-request load, on a network where the kernel hands a closing
// listener's waiting connections to the next one. It runs itself again inside a network of its own.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually, startGateway } from '../support/gateway.ts';
import { missingTools, runWrk } from '../support/load.ts';
import { startOrigin } from '../support/origin.ts';
import { startClients } from '../support/steady-clients.ts';

const prepare = 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req';
// In a user namespace it works without root, where the system allows those.
const isolate = process.getuid?.() === 0 ? '-n' : '-rn';
const title = 'with net.ipv4.tcp_migrate_req=1 three rolls lose no connection';

if (process.env['PORTCULLIS_TEST_OWN_NETWORK'] === 'yes') test(title, rollThreeTimes);
else {
  const skip = missingTools('wrk') || noOwnNetwork();
  test(title, { skip, timeout: 90_000 }, async (t) => {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const self = fileURLToPath(import.meta.url);
    const script = `${prepare} && exec "$0" --test-reporter=tap "$1"`;
    const child = spawn('unshare', [isolate, 'sh', '-c', script, process.execPath, self], {
      env: { ...env, PORTCULLIS_TEST_OWN_NETWORK: 'yes' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGTERM'), 80_000);
    const code = await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    assert.equal(code, 0, output);
    t.diagnostic(/# (\d+ answered)/.exec(output)?.[1] ?? '');
  });
}

async function rollThreeTimes(t: { diagnostic(text: string): void }): Promise<void> {
  const origin = await startOrigin();
  const gateway = await startGateway({
    workers: 2,
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 's' } },
        services: { s: { loadBalancer: { servers: [{ url: origin.url }] } } },
      },
    },
  });
  let answered = 0;
  try {
    for (let round = 1; round <= 3; round += 1) {
      const clients = startClients({
        port: gateway.port('web'),
        connections: 8,
        close: true,
        reconnect: true,
      });
      const load = runWrk({ url: gateway.url('web'), seconds: 5, connections: 48, close: true });
      await sleep(500);
      const old = gateway.workerPids();
      gateway.signal('SIGUSR2');
      await eventually('all workers are replaced', () => {
        const now = gateway.workerPids();
        return now.length === old.length && !now.some((pid) => old.includes(pid));
      });
      const report = await load;
      await clients.stop();
      assert.deepEqual([report.non2xx, report.errors], [0, []], report.output);
      assert.deepEqual(clients.losses, []);
      answered += report.requests + clients.answered();
    }
    t.diagnostic(`${answered} answered`);
  } finally {
    await gateway.stop();
    await origin.stop();
  }
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
