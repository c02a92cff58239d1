// Microseconds of a worker's CPU for one request, with and without access log and traces, side by side in one run:
// `node bench/micro/observability.bench.ts`. Only differences between the lines mean something.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';
import { runWrk } from '../../test/support/load.ts';
import { startOtlpHttp } from '../../test/support/otlp-receiver.ts';
import { cpuTimes } from '../proc.ts';

const rounds = 3;
const seconds = 2;

const server = createServer((_request, response) => response.end('hello'));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as { port: number };
const receiver = await startOtlpHttp();
const otlp = { http: { endpoint: `http://127.0.0.1:${receiver.port}` } };
const json = { filePath: 'access.log', format: 'json' };

const configs: Readonly<Record<string, object>> = {
  nothing: {},
  'access log, common': { accessLog: { filePath: 'access.log' } },
  'access log, short': { accessLog: { ...json, format: 'short' } },
  'access log, json': { accessLog: json },
  'traces, none sampled': { tracing: { sampleRate: 0, otlp } },
  'traces, 1 in 100': { tracing: { sampleRate: 0.01, otlp } },
  'traces, all': { tracing: { otlp } },
};

const gateways = new Map<string, TestGateway>();
for (const [name, config] of Object.entries(configs)) {
  const gateway = await startGateway({
    static: { entryPoints: { web: {} }, ...config },
    dynamic: {
      http: {
        routers: { all: { rule: 'PathPrefix(`/`)', service: 'all' } },
        services: { all: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${port}` }] } } },
      },
    },
  });
  gateways.set(name, gateway);
}
const found = new Map([...gateways.keys()].map((name) => [name, [] as number[]]));
// The first round warms up.
for (let round = 0; round <= rounds; round++) {
  for (const [name, gateway] of gateways) {
    const perRequest = await measure(gateway);
    if (round > 0) found.get(name)?.push(perRequest);
    receiver.spans.length = 0;
    receiver.headers.length = 0;
  }
}
for (const [name, values] of found) {
  const sorted = [...values].sort((a, b) => a - b);
  const shown = sorted.map((value) => value.toFixed(1)).join(' ');
  console.log(
    `${name.padEnd(22)} ${(sorted[sorted.length >> 1] ?? 0).toFixed(1).padStart(6)} µs   (${shown})`,
  );
}
for (const gateway of gateways.values()) await gateway.stop();
await receiver.stop();
server.close();
server.closeAllConnections();

async function measure(gateway: TestGateway): Promise<number> {
  const pids = gateway.workerPids();
  const before = sum(cpuTimes(pids));
  const { requests } = await runWrk({ url: `${gateway.url('web')}/`, seconds, connections: 16 });
  return (sum(cpuTimes(pids)) - before) / requests;
}

function sum(times: ReadonlyMap<number, number>): number {
  return [...times.values()].reduce((total, time) => total + time, 0);
}
