// Whatever came before a configuration, and in whatever way it came: it does what it would do alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { emptyConfig } from '../../../../src/config/dynamic/provider-config.ts';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { resolve } from '../../../../src/config/dynamic/resolve.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';
import { applyDelta, deltaBetween, type SnapshotDelta } from '../../../../src/model/snapshot-delta.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Downstream } from '../../../../src/proxy/downstream.ts';
import { createAuthCacheRegistry } from '../../../../src/proxy/middlewares/forward-auth/cache.ts';
import { serve } from '../../../../src/proxy/pipeline.ts';
import { assemble } from '../../../../src/proxy/runtime/assemble.ts';
import { KeepStore } from '../../../../src/proxy/runtime/keep.ts';
import type { Runtime } from '../../../../src/proxy/runtime/runtime.ts';
import { createAuthClients } from '../../../../src/proxy/upstream/auth-client.ts';
import { MemoryState } from '../../../../src/state/memory.ts';
import { contentHash } from '../../../../src/util/content-hash.ts';
import { exchange } from '../../../support/forward-auth.ts';
import { type Origin, startOrigin } from '../../../support/origin.ts';
import { entryPoint, transport } from '../../../support/specs.ts';

const origins: Origin[] = [];
before(async () => {
  for (const name of ['one', 'two', 'three']) {
    const origin = await startOrigin({
      name,
      answer: (request, response) => {
        const status = request.url?.startsWith('/bad') === true ? 500 : 200;
        const user = String(request.headers['x-user'] ?? '');
        const said = `${name} ${request.url} ${request.headers.host?.split(':')[0]} ${user}`;
        response.writeHead(status, { 'x-user': name, 'x-other': `o-${name}` }).end(said);
      },
    });
    origins.push(origin);
  }
});
after(() => Promise.all(origins.map((origin) => origin.stop())));

const n = (limit: number): fc.Arbitrary<number> => fc.nat(limit - 1);
const middlewareNames = ['m0', 'm1', 'm2'];
const serviceNames = ['s0', 's1', 's2'];

const middlewareOf: fc.Arbitrary<object> = fc.oneof(
  n(2).map((i) => ({ addPrefix: { prefix: `/p${i}` } })),
  n(2).map((i) => ({ replacePath: { path: i === 0 ? '/bad' : '/good' } })),
  n(3).map((i) => ({ headers: { customResponseHeaders: { 'X-Set': `v${i}` } } })),
  fc.tuple(n(3), n(2)).map(([i, j]) => ({
    forwardAuth: { address: `ORIGIN${i}`, authResponseHeaders: [j === 0 ? 'X-User' : 'X-Other'] },
  })),
  fc.tuple(n(2), n(2)).map(([i, j]) => ({
    errors: { status: ['500'], service: `s${i}`, query: `/page${j}` },
  })),
  fc.subarray(middlewareNames, { maxLength: 2 }).map((list) => ({ chain: { middlewares: list } })),
  fc.constant({ addPrefix: { prefix: 7, nothing: true } }),
  fc.constant({ retry: { attempts: 2, status: ['500'] } }),
);
const balancerOf: fc.Arbitrary<object> = fc
  .tuple(n(3), fc.boolean(), fc.constantFrom('', '', 't0', 't0', 't0', 'missing'), fc.boolean())
  .map(([i, passHostHeader, serversTransport, isSticky]) => ({
    loadBalancer: {
      servers: [{ url: `ORIGIN${i}` }],
      passHostHeader,
      ...(serversTransport === '' ? {} : { serversTransport }),
      ...(isSticky ? { sticky: { cookie: { name: `c${i}` } } } : {}),
    },
  }));
/** Of other services, or what routers and other services are made of, with middlewares of its own. */
const serviceOf: fc.Arbitrary<object> = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: balancerOf },
      n(2).map((i) => ({ weighted: { services: [{ name: `s${i}`, weight: 1 }] } })),
      n(2).map((i) => ({ failover: { service: `s${i}`, fallback: 's1' } })),
      n(2).map((i) => ({ failover: { service: `s${i}`, fallback: 's1', errors: { status: ['500'] } } })),
    ),
    fc.option(fc.subarray(middlewareNames, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
  )
  .map(([service, middlewares]) => (middlewares === undefined ? service : { ...service, middlewares }));
const routerOf = fc
  .record({
    host: n(2),
    priority: n(3),
    middlewares: fc
      .subarray(middlewareNames)
      .chain((list) => n(12).map((i) => (i === 0 ? [...list, 'none'] : list))),
    service: fc.constantFrom(...serviceNames, ...serviceNames, ...serviceNames, 'missing'),
  })
  .map(({ host, priority, middlewares, service }) => ({
    rule: `Host(\`h${host}.test\`)`,
    priority: priority + 1,
    middlewares,
    service,
  }));
const some = <T>(names: readonly string[], of: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.dictionary(fc.constantFrom(...names), of, { minKeys: 1, maxKeys: names.length });
const full = <T>(names: readonly string[], of: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.record(Object.fromEntries(names.map((name) => [name, of]))) as fc.Arbitrary<Record<string, T>>;
const sections = (make: typeof some) =>
  fc.record({
    routers: make<object>(['r0', 'r1', 'r2'], routerOf),
    middlewares: make(middlewareNames, middlewareOf),
    services: make(serviceNames, serviceOf),
    serversTransports: make<object>(['t0'], fc.record({ insecureSkipVerify: fc.boolean() })),
  });
type Configuration = ReturnType<typeof sections> extends fc.Arbitrary<infer T> ? T : never;

/** Each with what one section of the next one says, or without it: most of it stays. */
const edits = fc
  .tuple(
    sections(full),
    fc.array(
      fc.tuple(
        sections(some),
        fc.constantFrom('routers', 'middlewares', 'services', 'serversTransports'),
        n(5),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([first, changes]) => {
    const list = [first];
    for (const [other, section, action] of changes) {
      const last = list.at(-1) as Configuration;
      const changed = action === 0 ? other[section] : { ...last[section], ...other[section] };
      list.push({ ...last, [section]: changed });
    }
    return list;
  });

/** So many that a change travels as one. */
const filler = Object.fromEntries(
  Array.from({ length: 80 }, (_, i) => [`z${i}`, { rule: `Host(\`z${i}.test\`)`, service: 's0' }]),
);

function snapshotOf(written: Configuration, version: number, known: Snapshot | null): Snapshot {
  const routers = { ...written.routers, ...filler };
  const text = JSON.stringify({ http: { ...written, routers } });
  const filled = text.replaceAll(/ORIGIN(\d)/g, (_, i) => origins[Number(i)]?.url ?? '');
  const { tree } = parseYaml(filled, 'f.yml');
  const { config } = loadDynamic(tree, 'f.yml');
  const { snapshot } = resolve({
    sources: [
      { provider: 'file', parts: [config] },
      { provider: 'internal', parts: [emptyConfig('internal')] },
    ],
    entryPoints: [entryPoint('web')],
    defaults: { ruleSyntax: 'v3', serversTransport: transport },
    known,
  });
  return { ...snapshot, version };
}

class Worker {
  readonly #kept = new KeepStore();
  readonly #clients = createAuthClients();
  running: Runtime | null = null;

  apply(snapshot: Snapshot): Runtime {
    const { runtime } = assemble(snapshot, {
      entryPoints: ['web'],
      kept: this.#kept.open(),
      previous: this.running,
      internal: {
        pingStatus: () => 200,
        challengeAnswer: () => null,
        askPrimary: () => Promise.reject(new Error('nobody is there')),
      },
      build: {
        bootSecret: '00',
        authClients: this.#clients,
        authCaches: createAuthCacheRegistry(),
        state: new MemoryState(),
        log: { warn: () => {}, error: () => {} },
      },
    });
    this.running?.dispose();
    this.running = runtime;
    return runtime;
  }

  close(): void {
    this.running?.dispose();
    this.#clients.close();
  }
}

/** What a client sees of a request. */
async function seen(runtime: Runtime, host: string, path: string): Promise<string> {
  let text = '';
  const client = {
    onDrain: null,
    onAbort: null,
    aborted: false,
    respond: (status, headers, body) => {
      text += `${status} ${linesOf(headers)} ${Buffer.from(body as Uint8Array).toString()}`;
    },
    begin: (status, headers) => void (text += `${status} ${linesOf(headers)} `),
    write: (chunk) => {
      text += Buffer.from(chunk).toString();
      return true;
    },
    finish: () => {},
    abort: () => void (text += ' cut'),
  } satisfies Downstream & { aborted: boolean };
  const x = exchange({ downstream: client, host, authority: host, path, routePath: path, search: '' });
  serve(x, runtime);
  const deadline = performance.now() + 5000;
  while (!x.ended) {
    assert.ok(performance.now() < deadline, 'an answer');
    await new Promise(setImmediate);
  }
  return `${x.route?.name} ${x.route?.broken ?? ''} ${x.server?.transport.insecureSkipVerify} ${text}`;
}

function linesOf(headers: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}=${headers[i + 1]}`);
  return lines
    .filter((line) => !/^(?:date|keep-alive|connection)=/.test(line))
    .sort()
    .join(';');
}

async function all(runtime: Runtime): Promise<readonly string[]> {
  const found: string[] = [];
  for (const host of ['h0.test', 'h1.test', 'z3.test']) {
    for (const path of ['/', '/bad']) found.push(await seen(runtime, host, path));
  }
  const names = ['x-user', 'x-other', 'x-set'].filter((name) => runtime.managed.has(name));
  return [...found, names.join()];
}

test('a reload ends where a fresh start ends, sent whole or as a change, with changes missed in between', async () => {
  await fc.assert(
    fc.asyncProperty(edits, n(5), async (list, missed) => {
      const whole = new Worker();
      const changed = new Worker();
      try {
        let sent: Snapshot | null = null;
        for (const [i, written] of list.entries()) {
          const snapshot = snapshotOf(written, i + 1, sent);
          whole.apply(structuredClone(snapshot));
          const delta: SnapshotDelta | null =
            sent === null || i === missed ? null : deltaBetween(sent, snapshot);
          const ran = changed.running?.snapshot ?? null;
          const next: Snapshot =
            delta === null || ran === null ? snapshot : applyDelta(ran, structuredClone(delta));
          assert.equal(hashOf(next), snapshot.hash);
          changed.apply(next === snapshot ? structuredClone(snapshot) : next);
          sent = snapshot;
          const alone = new Worker();
          const expected = await all(alone.apply(structuredClone(snapshot)));
          alone.close();
          assert.deepEqual(await all(whole.running as Runtime), expected);
          assert.deepEqual(await all(changed.running as Runtime), expected);
        }
      } finally {
        whole.close();
        changed.close();
      }
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 20) },
  );
});

function hashOf({ routers, middlewares, services, transports, tls }: Snapshot): string {
  return contentHash([routers, middlewares, services, transports, [tls]]);
}
