// Nanoseconds to count one request at its end: `node bench/micro/metrics.bench.ts`.

import { Histogram } from '../../src/observability/instruments.ts';
import { WorkerMeters } from '../../src/observability/worker-metrics.ts';
import type { Exchange } from '../../src/proxy/exchange.ts';
import { LiveCounters } from '../../src/proxy/live-counters.ts';
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

interface Case {
  readonly addRouters: boolean;
  readonly statuses?: readonly number[];
  readonly isProtected?: true;
  readonly isLive?: true;
}

function run(title: string, { addRouters, statuses = [200], isProtected, isLive }: Case): void {
  const meters = new WorkerMeters({
    buckets: [0.1, 0.3, 1.2, 5],
    entryPoints: true,
    routers: addRouters,
    services: true,
    addInternals: false,
    headerLabels: [],
  });
  const metering = new Metering(meters);
  const live = isLive === true ? new LiveCounters() : null;
  const entryPoint = meters.entryPoint('web');
  const x = {
    route: {
      isMetered: true,
      meter: meters.router('shop@file', 'shop@file'),
      service: { name: 'shop@file' },
    },
    error: null,
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
    authTimes: isProtected === true ? new Histogram() : null,
    originMs: 1.2,
    retries: 0,
    startedAt: performance.now(),
  };
  bench(title, (i) => {
    x.status = statuses[i % statuses.length] as number;
    const now = performance.now();
    live?.count(x as unknown as Exchange, now);
    metering.ended(x as unknown as Exchange, entryPoint, now);
    return meters.cells.values.length;
  });
}

run('entry point and service', { addRouters: false });
run('entry point, router and service', { addRouters: true });
run('the same, five statuses in turn', { addRouters: true, statuses: [200, 304, 404, 500, 201] });
run('the same, behind forwardAuth', { addRouters: true, isProtected: true });
run('the same, and the dashboard', { addRouters: true, isProtected: true, isLive: true });
