// Every query of every dashboard and of every alert, asked of a real Prometheus that scrapes a real gateway with all
// kinds of traffic: none fails, and none shows nothing without a reason.

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { type AuthServer, startAuthServer } from '../support/forward-auth.ts';
import { eventually, freePorts, startGateway, type TestGateway } from '../support/gateway.ts';
import { fillVariables, panelsOf, storedDashboards } from '../support/grafana.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { makeAuthority } from '../support/pki.ts';
import { missingPrometheus, type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { missingRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { tlsAsk } from '../support/tls-client.ts';

const rulesFolder = path.resolve(import.meta.dirname, '../../ops/prometheus/rules');
/** Four scrapes, as Grafana reckons it for one a second. */
const rateInterval = '10s';

/** Panels that may show nothing, and why. */
const mayBeEmpty: Readonly<Record<string, string>> = {
  'Collection of garbage': 'the primary has so little to do that there may have been none yet',
};

interface Ports {
  readonly origin: string;
  readonly other: string;
  readonly auth: string;
  readonly dead: string;
}

function dynamicOf({ origin, other, auth, dead }: Ports, extra: object = {}): object {
  const to = (...urls: readonly string[]): object => ({ servers: urls.map((url) => ({ url })) });
  const web = (host: string, service: string, ...middlewares: readonly string[]): object => ({
    rule: `Host(\`${host}.test\`)`,
    entryPoints: ['web'],
    service,
    middlewares,
  });
  return {
    http: {
      routers: {
        shop: web('shop', 'shop'),
        guarded: web('guarded', 'shop', 'auth'),
        broken: web('broken', 'broken', 'again'),
        breaking: web('breaking', 'broken', 'breaker'),
        limited: web('limited', 'shop', 'limit'),
        sticky: web('sticky', 'sticky'),
        checked: web('checked', 'checked'),
        secure: { rule: 'Host(`secure.test`)', entryPoints: ['websecure'], service: 'shop', tls: {} },
        ordered: {
          rule: 'Host(`ordered.example.com`)',
          entryPoints: ['websecure'],
          service: 'shop',
          tls: { certResolver: 'dead' },
        },
        ...extra,
      },
      middlewares: {
        auth: { forwardAuth: { address: auth, cache: { ttl: '2s', key: ['header:Authorization'] } } },
        again: { retry: { attempts: 2, initialInterval: '1ms' } },
        breaker: { circuitBreaker: { expression: 'NetworkErrorRatio() > 0.5', checkPeriod: '100ms' } },
        limit: { rateLimit: { average: 5, burst: 5 } },
      },
      services: {
        shop: { loadBalancer: to(origin) },
        broken: { loadBalancer: to(dead) },
        sticky: { loadBalancer: { ...to(origin, other), sticky: { header: { name: 'Mcp-Session-Id' } } } },
        checked: {
          loadBalancer: {
            ...to(other, dead),
            healthCheck: { path: '/', interval: '500ms', timeout: '300ms' },
          },
        },
      },
    },
    tls: { certificates: [{ certFile: 'secure.crt', keyFile: 'secure.key' }] },
  };
}

describe('dashboards and alerts', { skip: missingPrometheus || missingRedis }, () => {
  const closers: (() => unknown)[] = [];
  let gateway: TestGateway;
  let prometheus: Prometheus;
  let traffic: { stop(): Promise<void> };
  let other: Origin;
  let auth: AuthServer;
  let redis: RedisServer;

  before(async () => {
    const origin = await startOrigin({
      answer: (request, response) => {
        response.statusCode = Number(/^\/status\/(\d{3})/.exec(request.url ?? '')?.[1] ?? 200);
        response.setHeader('Mcp-Session-Id', 'session-1');
        response.end('an answer');
      },
    });
    other = await startOrigin({ name: 'other' });
    auth = await startAuthServer(({ headers }, response) => {
      response.statusCode = headers['authorization'] === 'bad' ? 401 : 200;
      response.end();
    });
    redis = await startRedis({ after: (close: () => unknown) => closers.push(close) } as never);
    const [dead] = (await freePorts(1)) as [number];
    const authority = makeAuthority();
    const issued = authority.issue(['secure.test']);
    closers.push(
      () => origin.stop(),
      () => auth.close(),
      () => authority.close(),
    );
    const ports = {
      origin: origin.url,
      other: other.url,
      auth: auth.address,
      dead: `http://127.0.0.1:${dead}`,
    };
    const acme = {
      email: 'someone@example.com',
      caServer: `https://127.0.0.1:${dead}/dir`,
      storage: 'acme.json',
      tlsChallenge: {},
    };
    gateway = await startGateway({
      workers: 2,
      static: {
        metrics: { prometheus: { addRoutersLabels: true } },
        entryPoints: { web: {}, websecure: {} },
        state: { redis: { endpoints: [`127.0.0.1:${redis.port}`] } },
        certificatesResolvers: { dead: { acme } },
      },
    });
    writeFileSync(path.join(gateway.dir, 'secure.crt'), issued.cert);
    writeFileSync(path.join(gateway.dir, 'secure.key'), issued.key);
    await gateway.writeDynamic(dynamicOf(ports));
    prometheus = await startPrometheus({
      targets: [`127.0.0.1:${gateway.port('traefik')}`],
      ruleFiles: readdirSync(rulesFolder).map((name) => path.join(rulesFolder, name)),
    });
    traffic = drive(gateway);
    await scrapes(3);
    const extra = { late: { rule: 'Host(`late.test`)', entryPoints: ['web'], service: 'shop' } };
    await gateway.writeDynamic(dynamicOf(ports, extra));
    const [victim] = gateway.workerPids();
    process.kill(victim as number, 'SIGKILL');
    await scrapes(8);
  });

  after(async () => {
    await traffic?.stop();
    await prometheus?.stop();
    await gateway?.stop();
    await other?.stop().catch(() => {});
    for (const close of closers) await close();
  });

  /** Waits until there are that many more in which the gateway answered. */
  async function scrapes(count: number): Promise<void> {
    const seen = async (): Promise<number> =>
      (await prometheus.query('count_over_time(up[10m])'))[0]?.value ?? 0;
    const from = await seen();
    await eventually(`${count} scrapes`, async () => (await seen()) >= from + count, 30_000);
  }

  for (const dashboard of storedDashboards()) {
    test(`${dashboard.title}: every query is answered, and shows something`, async () => {
      const empty: string[] = [];
      for (const panel of panelsOf(dashboard).filter(({ type }) => type !== 'logs')) {
        for (const { expr } of panel.targets ?? []) {
          const filled = fillVariables(expr, rateInterval);
          assert.ok(!filled.includes('$'), filled);
          const series = await prometheus.query(filled);
          if (mayBeEmpty[panel.title] === undefined && !series.some(({ value }) => Number.isFinite(value)))
            empty.push(`${panel.title}: ${filled}`);
        }
      }
      assert.deepEqual(empty, []);
      for (const { expr } of dashboard.annotations.list) await prometheus.query(fillVariables(expr, '1m'));
      for (const { name, query, type } of dashboard.templating.list) {
        if (type !== 'query') continue;
        const text = typeof query === 'string' ? query : query.query;
        const [, match, label] =
          /^label_values\((.+), (\w+)\)$/.exec(fillVariables(text, rateInterval)) ?? [];
        const values = await prometheus.labelValues(label as string, match as string);
        assert.ok(values.length > 0, `$${name} has nothing to choose from`);
      }
    });
  }

  test('legends name labels that the answers have, and leave out none that tells them apart', async () => {
    const panels = storedDashboards().flatMap(panelsOf);
    for (const { title, type, targets = [] } of panels) {
      if (type === 'logs' || type === 'table') continue;
      for (const { expr, legendFormat = '' } of targets) {
        const wanted = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
        const found = await prometheus.query(fillVariables(expr, rateInterval));
        const labels = [...new Set(found.flatMap(({ metric }) => Object.keys(metric)))];
        if (found.length > 0)
          assert.deepEqual(
            wanted.filter((label) => !labels.includes(label)),
            [],
            `${title}: ${expr}`,
          );
        const more = labels.filter(
          (label) => !/^(__name__|job|instance)$/.test(label) && !wanted.includes(label),
        );
        assert.deepEqual(more, [], `${title}: ${legendFormat}`);
      }
    }
  });

  test('every rule is evaluated, and the alerts say what is wrong and nothing else', async () => {
    const rules = await prometheus.rules();
    assert.ok(rules.length > 20);
    for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
    for (const { name, query, type } of rules) {
      const series = await prometheus.query(query);
      if (type === 'recording') assert.ok(series.length > 0, name);
    }
    const active = await activeAlerts();
    // The broken server, its breaker, and the authority that is not there; one worker was killed once.
    const wanted = [
      'PortcullisCircuitBreakerOpen',
      'PortcullisErrorBurnFast',
      'PortcullisErrorBurnSlow',
      'PortcullisServiceErrors',
    ];
    // What a machine with other things to do may add.
    const noise = ['PortcullisLatencyBurn', 'PortcullisSaturated'];
    assert.deepEqual(active.filter((name) => !noise.includes(name)).toSorted(), wanted);
  });

  test('the alerts see real faults: of Redis, servers, auth, workers, a whole instance', async () => {
    await redis.kill();
    await other.stop();
    const { answer } = auth;
    auth.answer = (call, response) => void setTimeout(() => answer(call, response), 700);
    for (let i = 0; i < 2; i++) {
      const [victim] = gateway.workerPids();
      process.kill(victim as number, 'SIGKILL');
      await eventually('a new worker serves', async () => {
        const { workers } = await gateway.status().catch(() => ({ workers: [] }));
        return workers.filter(({ state, pid }) => state === 'running' && pid !== victim).length === 2;
      });
    }
    const wanted = [
      'PortcullisAuthSlow',
      'PortcullisNoHealthyServer',
      'PortcullisStateBackendDown',
      'PortcullisWorkerCrashLoop',
    ];
    await allActive(wanted);
    await traffic.stop();
    await gateway.stop();
    await allActive(['PortcullisDown']);
  });

  async function activeAlerts(): Promise<readonly string[]> {
    const rules = await prometheus.rules();
    return rules.filter(({ state }) => state === 'pending' || state === 'firing').map(({ name }) => name);
  }

  async function allActive(wanted: readonly string[]): Promise<void> {
    let active: readonly string[] = [];
    const check = async (): Promise<boolean> => {
      active = await activeAlerts();
      return wanted.every((name) => active.includes(name));
    };
    await eventually(wanted.join(), check, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)}; there are ${active.join()}`);
    });
  }
});

/** All kinds of requests, a few hundred a second at most, until it is stopped. */
function drive(gateway: TestGateway): { stop(): Promise<void> } {
  const web = gateway.port('web');
  const session = { 'mcp-session-id': 'session-1' };
  let round = 0;
  let stopped = false;
  const kinds: readonly (() => Promise<unknown>)[] = [
    () => ask(web, { host: 'shop.test', method: 'POST', body: 'a body' }),
    () => ask(web, { host: 'shop.test', target: '/status/404' }),
    () => ask(web, { host: 'shop.test', target: '/status/500' }),
    () => ask(web, { host: 'shop.test', headers: { accept: 'text/event-stream' } }),
    () => ask(web, { host: 'nobody.test' }),
    () => ask(web, { host: 'guarded.test', headers: { authorization: `good ${round % 5}` } }),
    () => ask(web, { host: 'guarded.test', headers: { authorization: 'bad' } }),
    () => ask(web, { host: 'broken.test' }),
    () => ask(web, { host: 'breaking.test' }),
    () => ask(web, { host: 'limited.test' }),
    () => ask(web, { host: 'sticky.test', headers: round % 2 === 0 ? {} : session }),
    () => ask(web, { host: 'checked.test' }),
    () => tlsAsk(gateway.port('websecure'), { servername: 'secure.test' }, secureRequest),
  ];
  const running = (async () => {
    while (!stopped) {
      round += 1;
      // A worker is killed on the way.
      await Promise.allSettled(kinds.map((kind) => kind()));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };
}

const secureRequest = 'GET / HTTP/1.1\r\nHost: secure.test\r\nConnection: close\r\n\r\n';
