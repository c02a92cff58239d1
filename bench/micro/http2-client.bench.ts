// CPU microseconds per request of the HTTP/2 client and of the HTTP/1.1 client, before node origins that answer
// the same in another process: `node bench/micro/http2-client.bench.ts [seconds]`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Http1Pool } from '../../src/proxy/upstream/http1/pool.ts';
import { Http2Pool } from '../../src/proxy/upstream/http2/pool.ts';
import type { ServerPool } from '../../src/proxy/upstream/server-pool.ts';
import { transport } from '../../test/support/specs.ts';

const atOnce = 64;
const rounds = 6;
const roundMs = (Number(process.argv[2] ?? 9) * 1000) / (rounds * 2);

const headers = Object.entries({
  host: 'app.example.com',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding': 'gzip, deflate, br, zstd',
  cookie: `session=${'a1b2c3d4'.repeat(12)}`,
  'x-forwarded-for': '192.0.2.7',
  'x-forwarded-host': 'app.example.com',
  'x-forwarded-proto': 'https',
}).flat();

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
for (const { pool } of contenders) await drive(pool, 1_000);
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? contenders : contenders.toReversed();
  for (const one of order) await measure(one);
}
for (const { name, pool, origin, cpu } of contenders) {
  console.log(`${name.padEnd(6)} ${median(cpu).toFixed(1)} µs/request`);
  pool.close();
  origin.kill('SIGTERM');
}

async function measure({ pool, cpu }: Contender): Promise<void> {
  const before = process.cpuUsage();
  const count = await drive(pool, roundMs);
  const { user, system } = process.cpuUsage(before);
  cpu.push((user + system) / count);
}

/** Keeps `atOnce` requests under way for `ms`; how many were answered. */
function drive(pool: ServerPool, ms: number): Promise<number> {
  return new Promise((resolve) => {
    const deadline = performance.now() + ms;
    let count = 0;
    let running = atOnce;
    const handler = { onHead() {}, onData: () => true, onEnd: done, onError: fail };
    function done(): void {
      count++;
      if (performance.now() < deadline) send();
      else if (--running === 0) resolve(count);
    }
    const send = (): void =>
      void pool.send({ method: 'GET', path: '/', headers, body: null }, handler, false);
    for (let i = 0; i < atOnce; i++) send();
  });
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

function fail(error: Error): never {
  throw error;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
