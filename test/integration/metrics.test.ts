// Metrics as Prometheus gets them from a real gateway: names, labels and values, who may see them where, and what
// clients cannot do to them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { allMetricNames } from '../../src/observability/names.ts';
import { ask } from '../support/ask.ts';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { parseMetrics, type Scrape, scrape, sumOf } from '../support/metrics.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { makeAuthority } from '../support/pki.ts';

let origin: Origin;
before(async () => {
  origin = await startOrigin({
    answer: (request, response) => {
      response.statusCode = Number(/^\/status\/(\d{3})/.exec(request.url ?? '')?.[1] ?? 200);
      if (request.headers['content-type'] === 'application/grpc') response.setHeader('grpc-status', '7');
      response.end('twelve bytes');
    },
  });
});
after(() => origin?.stop());

function shop(more: object = {}): object {
  const servers = [{ url: origin.url }];
  return {
    http: {
      routers: {
        shop: { rule: 'Host(`shop.test`)', service: 'shop' },
        quiet: { rule: 'Host(`quiet.test`)', service: 'shop', observability: { metrics: false } },
        ...more,
      },
      services: { shop: { loadBalancer: { servers } } },
    },
  };
}

interface Setup {
  readonly prometheus?: object;
  readonly metrics?: object;
  readonly entryPoints?: object;
  readonly dynamic?: object;
  readonly workers?: number;
  readonly engine?: 'uws' | 'node';
}

function start(setup: Setup): Promise<TestGateway> {
  return startGateway({
    workers: setup.workers ?? 1,
    ...(setup.engine === undefined ? {} : { engine: setup.engine }),
    dynamic: setup.dynamic ?? shop(),
    static: {
      metrics: { prometheus: setup.prometheus ?? {}, ...setup.metrics },
      ...(setup.entryPoints === undefined ? {} : { entryPoints: setup.entryPoints }),
    },
  });
}

const web = 'entrypoint="web"';

/** Scrapes until `name` has reached `value`: workers tell once a second. */
async function whenCounted(
  gateway: TestGateway,
  name: string,
  value: number,
  ...labels: string[]
): Promise<Scrape> {
  let last = parseMetrics('');
  await eventually(`${name}{${labels.join()}} is ${value}`, async () => {
    last = await scrape(gateway.url('traefik'));
    return sumOf(last, name, ...labels) >= value;
  });
  return last;
}

for (const engine of ['uws', 'node'] as const) {
  describe(`requests on the ${engine} engine`, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await start({ prometheus: { addRoutersLabels: true }, engine });
    });
    after(() => gateway?.stop());

    test('are counted as Traefik counts them: by code, method and protocol, in all three families', async () => {
      const port = gateway.port('web');
      for (let i = 0; i < 3; i++) await ask(port, { host: 'shop.test' });
      await ask(port, { host: 'shop.test', target: '/status/404', method: 'POST', body: 'seven b' });
      await ask(port, { host: 'shop.test', headers: { accept: 'text/html, text/event-stream' } });
      await ask(port, {
        host: 'shop.test',
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'application/grpc' },
      });
      await ask(port, { host: 'nobody.test' });
      await ask(port, { host: 'quiet.test' });
      const found = await whenCounted(gateway, 'traefik_entrypoint_requests_total', 7, web);
      const of = (series: string): number | undefined => found.values.get(series);
      const tail = { router: 'router="shop@file",service="shop@file"', service: 'service="shop@file"' };
      assert.equal(
        of('traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="http"}'),
        3,
      );
      assert.equal(
        of('traefik_entrypoint_requests_total{code="404",entrypoint="web",method="GET",protocol="http"}'),
        1,
      );
      assert.equal(
        of('traefik_entrypoint_requests_total{code="200",entrypoint="web",method="GET",protocol="sse"}'),
        1,
      );
      assert.equal(
        of('traefik_entrypoint_requests_total{code="7",entrypoint="web",method="POST",protocol="grpc"}'),
        1,
      );
      for (const [scope, labels] of Object.entries(tail)) {
        const get = `code="200",method="GET",protocol="http",${labels}`;
        const post = `code="404",method="POST",protocol="http",${labels}`;
        assert.equal(of(`traefik_${scope}_requests_total{${get}}`), 3, scope);
        assert.equal(of(`traefik_${scope}_request_duration_seconds_count{${get}}`), 3);
        assert.equal(of(`traefik_${scope}_request_duration_seconds_bucket{${get},le="+Inf"}`), 3);
        assert.equal(of(`traefik_${scope}_requests_bytes_total{${post}}`), 7);
        assert.equal(of(`traefik_${scope}_responses_bytes_total{${get}}`), 36);
      }
      const bounds = [
        ...found.text.matchAll(/entrypoint_request_duration_seconds_bucket\{code="404".*le="([^"]+)"\}/g),
      ];
      assert.deepEqual(
        bounds.slice(0, 5).map(([, bound]) => bound),
        ['0.1', '0.3', '1.2', '5', '+Inf'],
      );
      assert.equal(
        sumOf(found, 'traefik_entrypoint_requests_total', web),
        7,
        'a router may have its requests left out',
      );
      assert.equal(
        sumOf(found, 'traefik_router_requests_total', 'internal'),
        0,
        'nor are the gateway’s own counted',
      );
    });

    test('no client makes labels: neither by methods nor by hosts, paths and statuses', async () => {
      const port = gateway.port('web');
      const methods = ['PURGE', 'PROPFIND', 'MKCOL', 'LOCK'];
      for (const method of methods)
        await ask(port, { host: `h-${method}.test`, method, target: `/p-${method}` });
      const found = await whenCounted(
        gateway,
        'traefik_entrypoint_requests_total',
        methods.length,
        web,
        'method="EXTENSION_METHOD"',
      );
      for (const method of methods) assert.ok(!found.text.includes(method));
      assert.ok(!found.text.includes('.test"'));
    });

    test('open connections are shown, and leave', async () => {
      const { Agent, request: plainRequest } = await import('node:http');
      const agent = new Agent({ keepAlive: true });
      const port = gateway.port('web');
      await new Promise((resolve) => {
        plainRequest({ port, host: '127.0.0.1', agent, headers: { host: 'shop.test' } }, (response) => {
          response.resume().on('end', resolve);
        }).end();
      });
      const series = 'traefik_open_connections{entrypoint="web",protocol="TCP"}';
      const is = (value: number): Promise<number> =>
        eventually(
          `${series} is ${value}`,
          async () => (await scrape(gateway.url('traefik'))).values.get(series) === value,
        );
      await is(1);
      agent.destroy();
      await is(0);
    });
  });
}

describe('the text', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await start({ prometheus: { buckets: [0.25, 2], addRoutersLabels: true } });
    await ask(gateway.port('web'), { host: 'shop.test' });
    await whenCounted(gateway, 'traefik_service_requests_total', 1);
  });
  after(() => gateway?.stop());

  test('is of the type Prometheus asks for, compressed for who wants it, and the same to who does not', async () => {
    const port = gateway.port('traefik');
    const plain = await ask(port, { host: 'x', target: '/metrics' });
    assert.ok(plain.headers.includes('content-type: text/plain; version=0.0.4; charset=utf-8'));
    assert.ok(!plain.headers.some((line) => line.startsWith('content-encoding')));
    const refused = await ask(port, {
      host: 'x',
      target: '/metrics',
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    assert.match(refused.body, /^# HELP/);
    const packed = await fetch(`${gateway.url('traefik')}/metrics`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.match(await packed.text(), /traefik_service_requests_total/);
  });

  test('has the buckets that were asked for', async () => {
    const { text } = await scrape(gateway.url('traefik'));
    const bounds = [...text.matchAll(/service_request_duration_seconds_bucket\{.*le="([^"]+)"\}/g)];
    assert.deepEqual(
      bounds.map(([, bound]) => bound),
      ['0.25', '2', '+Inf'],
    );
  });

  test('names nothing of ours that is not listed, and each with its type', async () => {
    const { types } = await scrape(gateway.url('traefik'));
    const listed = new Map(allMetricNames().map(({ name, type }) => [name, type]));
    for (const [name, type] of types) {
      if (name.startsWith('traefik_') || name.startsWith('portcullis_'))
        assert.equal(listed.get(name), type, name);
    }
    for (const name of ['process_cpu_seconds_total', 'portcullis_workers', 'portcullis_build_info'])
      assert.ok(types.has(name), name);
  });

  test('has nothing that promtool would object to', { skip: missing() }, async () => {
    const { text } = await scrape(gateway.url('traefik'));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  test('says what the configuration does', async () => {
    const before = await scrape(gateway.url('traefik'));
    const value = (found: Scrape, name: string): number => found.values.get(name) ?? Number.NaN;
    await gateway.writeDynamic(shop({ more: { rule: 'Host(`more.test`)', service: 'shop' } }));
    const later = await scrape(gateway.url('traefik'));
    assert.equal(
      value(later, 'traefik_config_reloads_total'),
      value(before, 'traefik_config_reloads_total') + 1,
    );
    assert.equal(value(later, 'portcullis_config_version'), (await gateway.status()).version);
    assert.equal(value(later, 'portcullis_config_last_reload_successful'), 1);
    assert.ok(Math.abs(value(later, 'traefik_config_last_reload_success') - Date.now() / 1000) < 30);
    assert.ok(value(later, 'portcullis_config_age_seconds') < 30);
    assert.equal(value(later, 'portcullis_workers'), 1);
  });

  test('series of a router that is removed are shown once more and vanish', async () => {
    await gateway.writeDynamic(shop({ brief: { rule: 'Host(`brief.test`)', service: 'shop' } }));
    await ask(gateway.port('web'), { host: 'brief.test' });
    await whenCounted(gateway, 'traefik_router_requests_total', 1, 'router="brief@file"');
    await gateway.writeDynamic(shop());
    const once = await scrape(gateway.url('traefik'));
    assert.equal(sumOf(once, 'traefik_router_requests_total', 'router="brief@file"'), 1);
    const { text } = await scrape(gateway.url('traefik'));
    assert.ok(!text.includes('brief@file'));
    assert.ok(text.includes('shop@file'));
  });
});

test('families are left out that were not asked for, and nothing is served where nothing was configured', async () => {
  const gateway = await start({ prometheus: { addEntryPointsLabels: false, addServicesLabels: false } });
  try {
    await ask(gateway.port('web'), { host: 'shop.test' });
    await eventually('a worker has told', async () =>
      (await scrape(gateway.url('traefik'))).text.includes('portcullis_worker_cpu_seconds_total'),
    );
    assert.doesNotMatch(
      (await scrape(gateway.url('traefik'))).text,
      /traefik_(entrypoint|service|router)_requests/,
    );
  } finally {
    await gateway.stop();
  }
  const without = await startGateway({ dynamic: shop() });
  try {
    assert.equal((await ask(without.port('traefik'), { host: 'x', target: '/metrics' })).status, 404);
  } finally {
    await without.stop();
  }
});

test('they are served on the entry point that was named, and nowhere by themselves with manualRouting', async () => {
  const entryPoints = { web: {}, inner: {} };
  const named = await start({ prometheus: { entryPoint: 'inner' }, entryPoints });
  try {
    const status = async (name: string): Promise<number> =>
      (await ask(named.port(name), { host: 'x', target: '/metrics' })).status;
    assert.deepEqual([await status('inner'), await status('web'), await status('traefik')], [200, 404, 404]);
  } finally {
    await named.stop();
  }
  const own = { numbers: { rule: 'Path(`/numbers`)', service: 'prometheus@internal', entryPoints: ['web'] } };
  const manual = await start({ prometheus: { manualRouting: true }, dynamic: shop(own) });
  try {
    assert.equal((await ask(manual.port('traefik'), { host: 'x', target: '/metrics' })).status, 404);
    assert.ok((await scrape(manual.url('web'), '/numbers')).types.has('portcullis_workers'));
  } finally {
    await manual.stop();
  }
});

test('an entry point may have its requests left out, and the gateway’s own may be counted', async () => {
  const gateway = await start({
    prometheus: { addRoutersLabels: true },
    metrics: { addInternals: true },
    entryPoints: { web: { observability: { metrics: false } }, traefik: {} },
  });
  try {
    await ask(gateway.port('web'), { host: 'shop.test' });
    await scrape(gateway.url('traefik'));
    const found = await whenCounted(
      gateway,
      'traefik_router_requests_total',
      1,
      'router="prometheus@internal",service="prometheus@internal"',
    );
    assert.equal(sumOf(found, 'traefik_entrypoint_requests_total', web), 0);
    assert.equal(sumOf(found, 'traefik_service_requests_total'), 0);
  } finally {
    await gateway.stop();
  }
});

test('header labels stand on numbers of requests alone, and a client that invents values ends in `other`', async () => {
  const gateway = await start({ prometheus: { headerLabels: { tenant: 'X-Tenant' } } });
  try {
    const port = gateway.port('web');
    await ask(port, { host: 'shop.test', headers: { 'x-tenant': 'a"b' } });
    await ask(port, { host: 'shop.test' });
    for (let i = 0; i < 150; i++)
      await ask(port, { host: 'shop.test', headers: { 'x-tenant': `made-up-${i}` } });
    const found = await whenCounted(gateway, 'traefik_entrypoint_requests_total', 152, web);
    const at = 'code="200",entrypoint="web",method="GET",protocol="http"';
    assert.equal(found.values.get(`traefik_entrypoint_requests_total{${at},tenant="a\\"b"}`), 1);
    assert.equal(found.values.get(`traefik_entrypoint_requests_total{${at},tenant=""}`), 1);
    assert.equal(found.values.get(`traefik_entrypoint_requests_total{${at},tenant="other"}`), 52);
    assert.equal(found.values.get(`traefik_entrypoint_request_duration_seconds_count{${at}}`), 152);
    assert.equal(sumOf(found, 'traefik_entrypoint_requests_total', web), 152);
  } finally {
    await gateway.stop();
  }
});

function missing(): string | false {
  const names = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',');
  return names.includes('promtool') ? 'NOT TESTED: promtool is missing' : false;
}

test('middlewares, connections and certificates are shown by the names the configuration has', async () => {
  const auth = await startOrigin({
    answer: (_request, response) => void response.setHeader('X-User', 'ann').end(),
  });
  const pki = makeAuthority();
  const issued = pki.issue(['secure.test', 'also.test']);
  const middlewares = {
    guard: { forwardAuth: { address: auth.url, authResponseHeaders: ['X-User'], cache: { ttl: '1m' } } },
    limit: { rateLimit: { average: 1, period: '1h', burst: 2 } },
    breaker: { circuitBreaker: { expression: 'NetworkErrorRatio() > 0.5' } },
  };
  const servers = [{ url: origin.url }];
  const gateway = await start({
    engine: 'node',
    entryPoints: { web: {}, secure: { http: { tls: {} } } },
    dynamic: {
      http: {
        middlewares,
        routers: {
          guarded: {
            rule: 'Host(`guarded.test`)',
            service: 'shop',
            middlewares: ['guard', 'breaker'],
            entryPoints: ['web'],
          },
          limited: {
            rule: 'Host(`limited.test`)',
            service: 'shop',
            middlewares: ['limit'],
            entryPoints: ['web'],
          },
          secure: { rule: 'Host(`secure.test`)', service: 'shop', entryPoints: ['secure'] },
        },
        services: { shop: { loadBalancer: { servers, healthCheck: { path: '/', interval: '1s' } } } },
      },
      tls: { certificates: [{ certFile: issued.cert, keyFile: issued.key }] },
    },
  });
  try {
    const headers = { authorization: 'Bearer one' };
    for (let i = 0; i < 3; i++) await ask(gateway.port('web'), { host: 'guarded.test', headers });
    for (let i = 0; i < 4; i++) await ask(gateway.port('web'), { host: 'limited.test' });
    await overTls(gateway.port('secure'), 'secure.test', pki.root);
    const found = await whenCounted(
      gateway,
      'traefik_entrypoint_requests_tls_total',
      1,
      'entrypoint="secure"',
    );
    const value = (series: string): number | undefined => found.values.get(series);
    const url = `url="${origin.url}"`;
    assert.equal(value('portcullis_auth_cache_hits_total{middleware="guard@file"}'), 2);
    assert.equal(value('portcullis_auth_cache_misses_total{middleware="guard@file"}'), 1);
    assert.equal(value('portcullis_auth_lookup_seconds_count{middleware="guard@file"}'), 1);
    assert.equal(value('portcullis_rate_limit_requests_total{middleware="limit@file",outcome="passed"}'), 2);
    assert.equal(value('portcullis_rate_limit_requests_total{middleware="limit@file",outcome="refused"}'), 2);
    assert.equal(
      value('portcullis_circuit_breaker_state{middleware="breaker@file",place="guarded@file"}'),
      0,
    );
    assert.ok((value(`portcullis_upstream_connections{${url}}`) ?? 0) >= 1);
    assert.ok((value(`portcullis_upstream_reused_total{${url}}`) ?? 0) >= 1);
    assert.ok((value(`portcullis_upstream_dial_seconds_count{${url}}`) ?? 0) >= 1);
    assert.equal(value(`traefik_service_server_up{service="shop@file",${url}}`), 1);
    assert.match(
      found.text,
      /traefik_entrypoint_requests_tls_total\{entrypoint="secure",tls_cipher="TLS_\w+",tls_version="1\.3"\} 1/,
    );
    const ends =
      /traefik_tls_certs_not_after\{cn="[^"]*",serial="\d+",sans="also\.test,secure\.test"\} (\S+)/.exec(
        found.text,
      );
    assert.ok(Number(ends?.[1]) > Date.now() / 1000, found.text);
    assert.match(found.text, /portcullis_certificate_lifetime_seconds\{cn="[^"]*",serial="\d+",sans="also/);
  } finally {
    await gateway.stop();
    await auth.stop();
    pki.close();
  }
});

function overTls(port: number, servername: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, servername, ca, headers: { host: servername }, agent: false },
      (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    );
    sent.on('error', reject).end();
  });
}
