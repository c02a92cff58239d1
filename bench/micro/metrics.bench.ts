// Nanoseconds to count one request at its end: `node bench/micro/metrics.bench.ts`.

import { WorkerMeters } from '../../src/observability/worker-metrics.ts';
import type { Exchange } from '../../src/proxy/exchange.ts';
import { Metering } from '../../src/proxy/metering.ts';
import { bench } from './run.ts';

const browser = Object.entries({
  host: 'shop.example',
  accept: 'text/html',
  'accept-encoding': 'gzip, br',
  'accept-language': 'en',
  'user-agent': 'Mozilla/5.0',
  cookie: 'session=abc',
  'x-forwarded-host': 'shop.example',
  'x-real-ip': '192.0.2.1',
}).flat();

function run(title: string, addRouters: boolean, statuses: readonly number[]): void {
  const meters = new WorkerMeters({
    buckets: [0.1, 0.3, 1.2, 5],
    entryPoints: true,
    routers: addRouters,
    services: true,
    addInternals: false,
    headerLabels: [],
  });
  const metering = new Metering(meters);
  const entryPoint = meters.entryPoint('web');
  const x = {
    route: { isMetered: true, meter: meters.router('shop@file', 'shop@file') },
    server: { meter: meters.service('shop@file') },
    method: 'GET',
    scheme: 'http',
    status: 200,
    isUpgrade: false,
    headers: browser,
    responseHeaders: [],
    trailers: null,
    bytesIn: 0,
    bytesOut: 120,
    originMs: 1.2,
    retries: 0,
    startedAt: performance.now(),
  };
  bench(title, (i) => {
    x.status = statuses[i % statuses.length] as number;
    metering.ended(x as unknown as Exchange, entryPoint);
    return meters.cells.values.length;
  });
}

run('entry point and service', false, [200]);
run('entry point, router and service', true, [200]);
run('the same, five statuses in turn', true, [200, 304, 404, 500, 201]);
