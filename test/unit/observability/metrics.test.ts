// What a worker counts, what it sends, and what the primary makes of it: no process, no socket.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricsSettings, WorkerMetrics } from '../../../src/model/metrics.ts';
import { maxCellsPerMeter } from '../../../src/observability/meter.ts';
import { writeTotals } from '../../../src/observability/exposition.ts';
import { Histogram, Instruments } from '../../../src/observability/instruments.ts';
import { labelsText, line } from '../../../src/observability/metric-text.ts';
import { allMetricNames, metricNames } from '../../../src/observability/names.ts';
import { labelsOfKey, overflowKey, requestKey } from '../../../src/observability/request-key.ts';
import { tlsTerms } from '../../../src/observability/tls-terms.ts';
import { Totals } from '../../../src/observability/totals.ts';
import { WorkerMeters } from '../../../src/observability/worker-metrics.ts';
import { parseMetrics, type Scrape, sumOf } from '../../support/metrics.ts';

const settings: MetricsSettings = {
  buckets: [0.1, 1],
  entryPoints: true,
  routers: true,
  services: true,
  addInternals: false,
  headerLabels: [],
};

function count(meters: WorkerMeters, name: string, code = 200, seconds = 0.05): void {
  const bucket = meters.cells.bucketOf(seconds);
  meters.service(name)?.count({ key: requestKey(code, 'GET', 0), seconds, bytesIn: 1, bytesOut: 2, bucket });
}

function takeAll(meters: WorkerMeters): WorkerMetrics[] {
  const messages: WorkerMetrics[] = [];
  for (;;) {
    const taken = meters.take();
    if (taken === null) return messages;
    messages.push(structuredClone(taken.message));
    if (taken.isLast) return messages;
  }
}

function tell(totals: Totals, worker: object, meters: WorkerMeters): void {
  for (const message of takeAll(meters)) totals.receive(worker, message);
}

async function textOf(totals: Totals, hasHeaderLabels = false): Promise<Scrape> {
  let text = '';
  await writeTotals(totals, { buckets: settings.buckets, hasHeaderLabels }, (piece) => {
    text += Buffer.from(piece).toString();
  });
  return parseMetrics(text);
}

const totalOf = (found: Scrape, name: string): number =>
  sumOf(found, 'traefik_service_requests_total', `service="${name}"`);

describe('labels', () => {
  test('come back from a key as they went in, and anything unknown is one method', () => {
    assert.deepEqual(labelsOfKey(requestKey(404, 'PATCH', 2)), {
      code: '404',
      method: 'PATCH',
      protocol: 'sse',
    });
    assert.equal(labelsOfKey(requestKey(200, 'BREW', 0)).method, 'EXTENSION_METHOD');
    assert.equal(labelsOfKey(requestKey(200, 'get', 0)).method, 'EXTENSION_METHOD');
    assert.deepEqual(labelsOfKey(requestKey(5, 'POST', 4)), { code: '5', method: 'POST', protocol: 'grpc' });
    assert.deepEqual(labelsOfKey(overflowKey(requestKey(503, 'PUT', 1))), {
      code: '5xx',
      method: 'EXTENSION_METHOD',
      protocol: 'http',
    });
  });

  test('are escaped as the format asks, and are always UTF-8', () => {
    assert.equal(labelsText(['a', 'b'], ['x"\\\n', '\ud800']), 'a="x\\"\\\\\\n",b="\ufffd"');
    assert.equal(line('n', '', 1), 'n 1\n');
    assert.equal(line('n', 'a="b"', Number.POSITIVE_INFINITY), 'n{a="b"} +Inf\n');
  });

  test('of TLS are pairs that were seen', async () => {
    const meters = new WorkerMeters(settings);
    const terms = tlsTerms('TLSv1.3', 'TLS_AES_128_GCM_SHA256');
    assert.equal(terms, tlsTerms('TLSv1.3', 'TLS_AES_128_GCM_SHA256'));
    meters.entryPoint('web')?.countKey(-1 - terms);
    meters.entryPoint('web')?.countKey(-1);
    const totals = new Totals(2);
    tell(totals, {}, meters);
    const { values } = await textOf(totals);
    const name = 'traefik_entrypoint_requests_tls_total';
    assert.equal(
      values.get(`${name}{entrypoint="web",tls_cipher="TLS_AES_128_GCM_SHA256",tls_version="1.3"}`),
      1,
    );
    assert.equal(values.get(`${name}{entrypoint="web",tls_cipher="unknown",tls_version="unknown"}`), 1);
  });
});

describe('names', () => {
  test('are each there once, by the rules of Prometheus', () => {
    const all = allMetricNames();
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    for (const { name, type, labels, help } of all) {
      assert.match(name, /^(traefik|portcullis)_[a-z0-9_]+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.match(help, /^[A-Z].*\.$/);
      for (const label of labels) assert.match(label, /^[a-z_]+$/);
    }
  });

  test('of requests have the labels of Traefik', () => {
    const labels = new Map(allMetricNames().map((metric) => [metric.name, metric.labels.join()]));
    assert.equal(labels.get('traefik_entrypoint_requests_total'), 'code,entrypoint,method,protocol');
    assert.equal(
      labels.get('traefik_router_request_duration_seconds'),
      'code,method,protocol,router,service',
    );
    assert.equal(labels.get('traefik_service_responses_bytes_total'), 'code,method,protocol,service');
    assert.equal(labels.get('traefik_service_requests_tls_total'), 'service,tls_cipher,tls_version');
  });
});

describe('sums over workers', () => {
  test('hold what each has counted since it last told, in buckets', async () => {
    const totals = new Totals(2);
    for (const worker of [{}, {}]) {
      const meters = new WorkerMeters(settings);
      for (const seconds of [0.1, 0.11, 5]) count(meters, 's@file', 200, seconds);
      tell(totals, worker, meters);
      assert.equal(takeAll(meters).length, 0, 'what was told is not told again');
      count(meters, 's@file');
      tell(totals, worker, meters);
    }
    const { values } = await textOf(totals);
    const at = 'code="200",method="GET",protocol="http",service="s@file"';
    const name = 'traefik_service_request_duration_seconds';
    assert.equal(values.get(`${name}_bucket{${at},le="0.1"}`), 4);
    assert.equal(values.get(`${name}_bucket{${at},le="1"}`), 6);
    assert.equal(values.get(`${name}_bucket{${at},le="+Inf"}`), 8);
    assert.equal(values.get(`${name}_count{${at}}`), 8);
    assert.equal(values.get(`traefik_service_requests_bytes_total{${at}}`), 8);
    assert.equal(values.get(`traefik_service_responses_bytes_total{${at}}`), 16);
  });

  test('keep the counts of a worker that has ended, and lose what it only stood at', async () => {
    const totals = new Totals(2);
    const [one, two] = [{}, {}];
    const told = [one, two].map((worker, i) => {
      const meters = new WorkerMeters(settings);
      count(meters, 's@file');
      meters.instruments.gauge(metricNames.upstreamOpen, ['http://a'], () => 3 + i);
      meters.instruments.gauge(metricNames.breakerState, ['b@file', 'router r@file'], () => 2 - i);
      meters.instruments.counter(metricNames.authHits, ['a@file'], () => 10);
      tell(totals, worker, meters);
      return meters;
    });
    const values = async (): Promise<(number | undefined)[]> => {
      const found = await textOf(totals);
      return [
        totalOf(found, 's@file'),
        sumOf(found, 'portcullis_upstream_connections'),
        sumOf(found, 'portcullis_circuit_breaker_state'),
        sumOf(found, 'portcullis_auth_cache_hits_total'),
      ];
    };
    assert.deepEqual(await values(), [2, 7, 2, 20]);
    totals.ended(one);
    assert.deepEqual(await values(), [2, 4, 1, 20]);
    totals.ended(two);
    assert.deepEqual(await values(), [2, 0, 0, 20]);
    assert.equal(told.length, 2);
  });

  test('end with the instrument, once no worker has it', async () => {
    const totals = new Totals(2);
    const workers = [{}, {}].map((worker) => {
      const meters = new WorkerMeters(settings);
      const shown = meters.instruments.histogram(metricNames.authLookup, ['a@file'], new Histogram());
      tell(totals, worker, meters);
      return { worker, meters, shown };
    });
    for (const [i, { worker, meters, shown }] of workers.entries()) {
      assert.equal((await textOf(totals)).types.has('portcullis_auth_lookup_seconds'), true, String(i));
      shown.close();
      tell(totals, worker, meters);
    }
    assert.equal((await textOf(totals)).types.has('portcullis_auth_lookup_seconds'), false);
  });
});

describe('what leaves the configuration', () => {
  const places = (...names: string[]) => ({ routers: [], services: names.map((name) => ({ name })) });

  test('is shown once more and then no longer; its place is used again for others', async () => {
    const totals = new Totals(2);
    const meters = new WorkerMeters(settings);
    const worker = {};
    const configured = (...names: string[]): void => {
      totals.configured([], places(...names).services);
      meters.retain([places(...names)]);
    };
    configured('a@file', 'b@file');
    count(meters, 'a@file');
    count(meters, 'b@file');
    tell(totals, worker, meters);
    configured('b@file');
    tell(totals, worker, meters);
    const since = performance.now() + 1;
    assert.equal(totalOf(await textOf(totals), 'a@file'), 1);
    totals.dropGone(since);
    assert.ok(!(await textOf(totals)).text.includes('a@file'));
    configured('b@file', 'c@file');
    count(meters, 'c@file');
    count(meters, 'b@file');
    tell(totals, worker, meters);
    const found = await textOf(totals);
    assert.deepEqual(
      [totalOf(found, 'a@file'), totalOf(found, 'b@file'), totalOf(found, 'c@file')],
      [0, 2, 1],
    );
    assert.equal(meters.cells.values.length, 64 * meters.cells.stride);
  });

  test('goes on where it was when it comes back while workers still knew it', async () => {
    const totals = new Totals(2);
    const meters = new WorkerMeters(settings);
    totals.configured([], [{ name: 'a@file' }]);
    count(meters, 'a@file');
    tell(totals, meters, meters);
    totals.configured([], []);
    totals.dropGone(performance.now() + 1);
    totals.configured([], [{ name: 'a@file' }]);
    count(meters, 'a@file');
    tell(totals, meters, meters);
    assert.equal(totalOf(await textOf(totals), 'a@file'), 2);
  });
});

describe('bounds', () => {
  test('whoever can have any status answered fills no memory: then only classes are told apart', async () => {
    const totals = new Totals(2);
    const meters = new WorkerMeters(settings);
    for (let code = 100; code < 1000; code++) count(meters, 's@file', code);
    tell(totals, {}, meters);
    const found = await textOf(totals);
    const series = [...found.values.keys()].filter((one) => one.startsWith('traefik_service_requests_total'));
    assert.ok(series.length <= maxCellsPerMeter + 10, String(series.length));
    assert.equal(totalOf(found, 's@file'), 900, 'and none is lost');
    assert.ok(series.some((one) => one.includes('code="9xx",method="EXTENSION_METHOD"')));
  });

  test('a message holds 1,024 cells at most', () => {
    const meters = new WorkerMeters(settings);
    for (let i = 0; i < 3_000; i++) count(meters, `s${i}@file`);
    const sizes = takeAll(meters).map(({ cells }) => cells.length);
    assert.deepEqual(sizes, [1_024, 1_024, 952]);
  });

  test('what nobody has used yet is not shown', () => {
    const instruments = new Instruments();
    let used = false;
    const shown = instruments.whenUsed(
      () => used,
      () => instruments.gauge(metricNames.upstreamOpen, ['u'], () => 1),
    );
    assert.equal(instruments.take().newSamples.length, 0);
    used = true;
    assert.equal(instruments.take().newSamples.length, 5);
    shown.close();
    assert.equal(instruments.take().goneSamples.length, 1);
  });
});
