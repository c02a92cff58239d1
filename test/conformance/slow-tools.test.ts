// slowhttptest in its three modes, with 4,000 connections: heads without end, bodies without end, answers that are
// hardly read. Everybody else is served meanwhile.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { affordable, besiege } from '../support/siege.ts';
import { routesTo } from '../support/wire.ts';

const isMissing = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('slowhttptest');
const skip = isMissing ? 'NOT TESTED: apt-get install slowhttptest' : false;

/** Bytes a worker may grow by: about 12 KB for each of 4,000 connections. */
const mostGrowth = { uws: 60e6, node: 150e6 };

const modes = [
  { name: 'slow heads', args: ['-H', '-i', '5', '-x', '24'], connections: 4_000 },
  { name: 'slow bodies', args: ['-B', '-i', '5', '-s', '8192', '-t', 'POST'], connections: 4_000 },
  {
    name: 'slow readers',
    args: ['-X', '-w', '10', '-y', '20', '-n', '5', '-z', '32', '-k', '3'],
    connections: 4_000,
  },
] as const;

for (const engine of ['uws', 'node'] as const) {
  describe(`slowhttptest against the ${engine} engine`, { skip, timeout: 170_000 }, () => {
    let origin: Server;
    let gateway: TestGateway;

    before(async () => {
      const page = Buffer.alloc(64 * 1024, 'portcullis ');
      origin = createServer((request, response) => {
        request.resume().on('end', () => response.end(request.url === '/o/other' ? 'ok' : page));
        request.on('error', () => {});
      });
      await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
      gateway = await startGateway({
        engine,
        dynamic: routesTo({ o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
      });
    });
    after(async () => {
      await gateway?.stop();
      origin?.closeAllConnections();
      origin?.close();
    });

    for (const { name, args, connections } of modes) {
      test(`${name}: all others are served`, async () => {
        const count = affordable(connections);
        const siege = besiege(gateway, { path: '/o/other' });
        const url = `${gateway.url('web')}/o/page`;
        const said = await slowhttptest([...args, '-c', String(count), '-u', url]);
        const each = siege.perConnection(count);
        const report = await siege.stop(
          `${engine}: ${name} ×${count}, ${Math.round(each)} B each at the end`,
        );
        assert.match(said, /service available:\s*YES/i);
        assert.equal(report.failed, 0);
        assert.ok(report.answered > 40, `${report.answered} answered`);
        assert.ok(report.peak - report.before < mostGrowth[engine], report.row);
      });
    }
  });
}

/** What it printed last, after 14 seconds of attack. */
async function slowhttptest(args: readonly string[]): Promise<string> {
  const common = ['-r', '1000', '-p', '3', '-l', '14'];
  const child = spawn('slowhttptest', [...args, ...common], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const take = (chunk: Buffer): void => {
    said = (said + chunk.toString().replaceAll(/\u001b\[[\d;]*[A-Za-z]/g, '')).slice(-8_000);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return said;
}
