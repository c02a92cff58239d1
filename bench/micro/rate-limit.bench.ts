// CPU microseconds per request of whole gateways, without a limit and with one that is never reached, by where its
// buckets are: `node bench/micro/rate-limit.bench.ts [seconds]`. Needs wrk and redis-server.

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startGateway, type TestGateway } from '../../test/support/gateway.ts';
import { commandPath } from '../install.ts';
import { startBackends } from '../origin.ts';
import { cpuBetween, cpuTimes, treeOf } from '../proc.ts';
import { median } from '../statistics.ts';

const rounds = 6;
const names = ['none', 'memory, 1 worker', 'memory, 2 workers', 'leased', 'strict'] as const;
const seconds = Math.max(1, Math.round(Number(process.argv[2] ?? 60) / (rounds * names.length)));

interface Contender {
  readonly name: (typeof names)[number];
  readonly gateway: TestGateway;
  readonly path: string;
  readonly cpu: number[];
  readonly redisCpu: number[];
}

const wrk = commandPath('wrk');
if (wrk === null) throw new Error('wrk is not on the PATH');
const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
const { backends, running } = await startBackends(folder);
const [redisPort = 0] = await freePorts(1);
const redis = spawn('redis-server', ['--port', String(redisPort), '--save', '', '--dir', folder], {
  stdio: 'ignore',
});
const gateways: TestGateway[] = [];
try {
  const contenders = await open();
  for (const contender of contenders) await measure(contender, 1);
  for (const { cpu, redisCpu } of contenders) cpu.length = redisCpu.length = 0;
  for (let round = 0; round < rounds; round += 1)
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed())
      await measure(contender, seconds);
  for (const { name, cpu, redisCpu } of contenders) {
    const ours = (median(cpu) ?? 0).toFixed(1);
    const theirs = (median(redisCpu) ?? 0).toFixed(1);
    console.log(`${name.padEnd(18)} ${ours} µs/request, Redis ${theirs}`);
  }
} finally {
  await Promise.all(gateways.map(async (gateway) => await gateway.stop()));
  for (const one of running) await one.stop();
  redis.kill();
  await new Promise((resolve) => redis.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}

async function open(): Promise<Contender[]> {
  const state = { redis: { endpoints: [`127.0.0.1:${redisPort}`] } };
  const start = async (workers: number, more: object): Promise<TestGateway> => {
    const gateway = await startGateway({ dynamic: configuration(), static: { ...more, workers } });
    gateways.push(gateway);
    return gateway;
  };
  const [one, two, shared] = [await start(1, {}), await start(2, {}), await start(2, { state })];
  const choices = [
    [two, '/none'],
    [one, '/leased'],
    [two, '/leased'],
    [shared, '/leased'],
    [shared, '/strict'],
  ] as const;
  return choices.map(([gateway, path], i) => {
    return { name: names[i] as (typeof names)[number], gateway, path, cpu: [], redisCpu: [] };
  });
}

async function measure({ gateway, path, cpu, redisCpu }: Contender, forSeconds: number): Promise<void> {
  const pids = treeOf(gateway.pid);
  const redisPids = [redis.pid ?? 0];
  const [before, redisBefore] = [cpuTimes(pids), cpuTimes(redisPids)];
  const args = ['-t1', '-c32', `-d${forSeconds}s`, `${gateway.url('web')}${path}`];
  const output = execFileSync(wrk as string, args, { encoding: 'utf8' });
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  if (output.includes('Non-2xx')) throw new Error(`${path}: some were refused\n${output}`);
  cpu.push(cpuBetween(before, cpuTimes(pids)) / requests);
  redisCpu.push(cpuBetween(redisBefore, cpuTimes(redisPids)) / requests);
}

function configuration(): object {
  const limit = { average: 10_000_000, burst: 10_000_000 };
  const router = (name: string, middlewares: readonly string[]) => [
    name,
    { rule: `Path(\`/${name}\`)`, service: 'origin', middlewares },
  ];
  return {
    http: {
      routers: Object.fromEntries([
        router('none', []),
        router('leased', ['leased']),
        router('strict', ['strict']),
      ]),
      middlewares: {
        leased: { rateLimit: limit },
        strict: { rateLimit: { ...limit, mode: 'strict' } },
      },
      services: { origin: { loadBalancer: { servers: [{ url: `http://${backends.origin}` }] } } },
    },
  };
}
