// What a reload leaves alone is taken over as it runs; what it changes is built again, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadBalancerSpec, MiddlewareSpec, Snapshot } from '../../../../src/model/snapshot.ts';
import { createAuthCacheRegistry } from '../../../../src/proxy/middlewares/forward-auth/cache.ts';
import { assemble } from '../../../../src/proxy/runtime/assemble.ts';
import { KeepStore } from '../../../../src/proxy/runtime/keep.ts';
import type { Route } from '../../../../src/proxy/runtime/route.ts';
import type { Runtime } from '../../../../src/proxy/runtime/runtime.ts';
import { Slots } from '../../../../src/proxy/runtime/slots.ts';
import { createAuthClients } from '../../../../src/proxy/upstream/auth-client.ts';
import { transport } from '../../../support/specs.ts';
import { router, service } from '../../primary/support.ts';
import { MemoryState } from '../../../../src/state/memory.ts';
import { noTls } from '../../../../src/model/tls.ts';

const first: Omit<Snapshot, 'version'> = {
  hash: 'h',
  routers: [
    router('a@file', { rule: 'Host(`a`)', service: 'one@file', middlewares: ['add@file'] }),
    router('b@file', { rule: 'Host(`b`)', service: 'one@file', middlewares: ['strip@file'] }),
    router('c@file', { rule: 'Host(`c`)', service: 'two@file' }),
  ],
  middlewares: [
    middleware('add@file', 'addPrefix', { prefix: '/x' }),
    middleware('strip@file', 'stripPrefix', { prefixes: ['/y'], forceSlash: true }),
  ],
  services: [balancer('one@file', 1), balancer('two@file', 2)],
  transports: [transport],
  tls: noTls,
};

test('the same content in other objects takes over every route, service and table', () => {
  const { apply } = createBench();
  const before = apply(first);
  const after = apply(structuredClone(first));
  assert.equal(after.tables, before.tables);
  assert.deepEqual(routesOf(after), routesOf(before));
});

test('a changed middleware builds again exactly the routes that use it', () => {
  const { apply } = createBench();
  const before = routesOf(apply(first));
  const middlewares = [middleware('add@file', 'addPrefix', { prefix: '/z' }), first.middlewares[1]];
  const after = routesOf(apply(structuredClone({ ...first, middlewares: middlewares as MiddlewareSpec[] })));
  assert.deepEqual(changedNames(before, after), ['a@file']);
  assert.equal(after.get('a@file')?.rule, before.get('a@file')?.rule);
  assert.equal(after.get('a@file')?.service, before.get('a@file')?.service);
});

test('changed servers of one service build again that service and its routes', () => {
  const { apply } = createBench();
  const before = routesOf(apply(first));
  const services = [balancer('one@file', 1), balancer('two@file', 3)];
  const after = routesOf(apply(structuredClone({ ...first, services })));
  assert.deepEqual(changedNames(before, after), ['c@file']);
  assert.equal(after.get('a@file')?.service, before.get('a@file')?.service);
  assert.notEqual(after.get('c@file')?.service, before.get('c@file')?.service);
});

test('a changed transport builds again every service that uses it', () => {
  const { apply } = createBench();
  const before = routesOf(apply(first));
  const transports = [{ ...transport, dialTimeout: 1 }];
  const after = routesOf(apply(structuredClone({ ...first, transports })));
  assert.deepEqual(changedNames(before, after), ['a@file', 'b@file', 'c@file']);
});

test('a removed middleware breaks its routers, and they are whole again when it is back', () => {
  const { apply } = createBench();
  apply(first);
  const without = routesOf(apply({ ...first, middlewares: first.middlewares.slice(1) }));
  assert.match(without.get('a@file')?.broken ?? '', /add@file/);
  assert.equal(routesOf(apply(first)).get('a@file')?.broken, null);
});

test('pools of what was taken over outlive the Runtime that made them, and nothing outlives the last', () => {
  const { apply, kept, current } = createBench();
  apply(first);
  for (let i = 0; i < 5; i += 1) {
    apply(structuredClone({ ...first, hash: String(i) }));
    const again = kept.open();
    again.get(`pool:http://127.0.0.1:1 ${JSON.stringify(transport)}`, () => {
      throw new Error('the pool is gone');
    });
    again.close();
  }
  current().dispose();
  assert.throws(() => kept.open().adopt([`pool:http://127.0.0.1:1 ${JSON.stringify(transport)}`]));
});

test('servers that are down stay down where their service is taken over, and only as long as they are said to be', () => {
  const { apply, current } = createBench();
  const state = { service: 'one@file', url: 'http://127.0.0.1:1', up: false };
  const seen: boolean[] = [];
  const one = apply(first);
  one.begin([state], null);
  for (const down of [[state], []]) {
    const before = current();
    const after = apply(structuredClone(first));
    const target = routesOf(after).get('a@file')?.service;
    assert.ok(target);
    const { setServerUp } = target;
    const said = new Map<string, boolean>();
    target.setServerUp = (url: string, up: boolean) => void said.set(url, up);
    after.begin(down, before);
    target.setServerUp = setServerUp;
    seen.push(said.get(state.url) ?? false);
  }
  assert.deepEqual(seen, [false, true]);
});

test('slots stay where they are, are used again when free, and are shared between routers', () => {
  const one = new Slots(null, ['a', 'b']);
  const a = one.sequence('a');
  assert.deepEqual([a(), a(), one.sequence('b')(), one.sequence('a')()], [0, 1, 2, 0]);
  const two = new Slots(one, ['b', 'c']);
  const c = two.sequence('c');
  assert.deepEqual([two.sequence('b')(), c(), c(), c()], [2, 0, 1, 3]);
});

function createBench() {
  const kept = new KeepStore();
  let runtime: Runtime | null = null;
  let version = 0;
  const apply = (content: Omit<Snapshot, 'version'>): Runtime => {
    version += 1;
    const next = assemble(
      { ...content, version },
      {
        entryPoints: ['web'],
        kept: kept.open(),
        previous: runtime,
        internal: {
          pingStatus: () => 200,
          challengeAnswer: () => null,
          askPrimary: () => Promise.reject(new Error('nobody is there')),
        },
        build: {
          bootSecret: '00',
          authClients: createAuthClients(),
          authCaches: createAuthCacheRegistry(),
          state: new MemoryState(),
          log: { warn: () => {}, error: () => {} },
        },
      },
    ).runtime;
    runtime?.dispose();
    runtime = next;
    return next;
  };
  return { apply, kept, current: () => runtime as Runtime };
}

function routesOf(runtime: Runtime): ReadonlyMap<string, Route> {
  return new Map(runtime.routes.map(({ route }) => [route?.name ?? '', route as Route]));
}

function changedNames(before: ReadonlyMap<string, Route>, after: ReadonlyMap<string, Route>): string[] {
  return [...after].filter(([name, route]) => before.get(name) !== route).map(([name]) => name);
}

function middleware(name: string, kind: string, options: object): MiddlewareSpec {
  return { name, provider: 'file', kind, options, errors: [] };
}

function balancer(name: string, port: number): LoadBalancerSpec {
  return { ...service(name, [`http://127.0.0.1:${port}`]), serversTransport: transport.name };
}
