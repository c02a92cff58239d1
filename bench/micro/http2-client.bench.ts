// CPU microseconds per request of the HTTP/2 client and of the HTTP/1.1 client, before node origins that answer
// the same in another process: `node bench/micro/http2-client.bench.ts [seconds]`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Http1Pool } from '../../src/proxy/upstream/http1/pool.ts';
import { Http2Pool } from '../../src/proxy/upstream/http2/pool.ts';
import type { ServerPool } from '../../src/proxy/upstream/server-pool.ts';
import { transport } from '../../test/support/specs.ts';
import { median } from '../statistics.ts';
import { drive, fail, headers } from './client-load.ts';

const rounds = 6;
const roundMs = (Number(process.argv[2] ?? 9) * 1000) / (rounds * 2);

interface Contender {
  readonly name: string;
  readonly pool: ServerPool;
  readonly origin: ChildProcess;
  readonly cpu: number[];
}

const contenders = [
  await contender('http1', 'http', (port) => new Http1Pool(`http://127.0.0.1:${port}`, transport)),
  await contender('http2', 'http2', (port) => new Http2Pool(`h2c://127.0.0.1:${port}`, transport)),
];
for (const { pool } of contenders) await drive(senderOf(pool), 1_000);
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? contenders : contenders.toReversed();
  for (const one of order) await measure(one);
}
for (const { name, pool, origin, cpu } of contenders) {
  console.log(`${name.padEnd(6)} ${(median(cpu) ?? 0).toFixed(1)} µs/request`);
  pool.close();
  origin.kill('SIGTERM');
}

async function measure({ pool, cpu }: Contender): Promise<void> {
  const before = process.cpuUsage();
  const count = await drive(senderOf(pool), roundMs);
  const { user, system } = process.cpuUsage(before);
  cpu.push((user + system) / count);
}

function senderOf(pool: ServerPool): (done: () => void) => void {
  return (done) =>
    void pool.send(
      { method: 'GET', path: '/', headers, body: null },
      { onHead() {}, onData: () => true, onEnd: done, onError: fail },
      false,
    );
}

async function contender(
  name: string,
  module: string,
  make: (port: number) => ServerPool,
): Promise<Contender> {
  const script = `const s = require('${module}').createServer((_, a) => a.end('hello from the origin'));
    s.listen(0, '127.0.0.1', () => console.log(s.address().port))`;
  const origin = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(origin.stdout, 'data')) as [Buffer];
  return { name, pool: make(Number(port.toString())), origin, cpu: [] };
}
