// Several containers that define one name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { router } from '../../config/dynamic/support.ts';
import { build, codes, container, network, routerNames, servers } from './containers.ts';
import type { Labels } from './containers.ts';

const web = (n: number, labels: Labels) =>
  container(`web-${n}`, labels, { networks: [network('net', `10.0.0.${n}`)] });

const base: Labels = {
  'traefik.http.routers.r.rule': 'Path(`/`)',
  'traefik.http.routers.r.middlewares': 'auth',
  'traefik.http.middlewares.auth.forwardauth.address': 'http://10.0.0.9',
  'traefik.http.middlewares.auth.forwardauth.authresponseheaders': 'X-User',
  'traefik.http.services.s.loadbalancer.server.port': '80',
};

test('equal definitions are one, with the servers of all', () => {
  const built = build([web(2, base), web(1, base)]);
  assert.deepEqual(servers(built, 's@docker'), ['http://10.0.0.1:80', 'http://10.0.0.2:80']);
  assert.deepEqual([router(built, 'r@docker').errors, built.found, codes(built.diagnostics)], [[], [], []]);
});

test('a server that two containers name is there once', () => {
  const url = { 'traefik.http.services.s.loadbalancer.server.url': 'http://10.0.0.9:1' };
  assert.deepEqual(servers(build([web(1, url), web(2, url)]), 's@docker'), ['http://10.0.0.9:1']);
});

test('servers may differ in weight and scheme', () => {
  const weighted = { ...base, 'traefik.http.services.s.loadbalancer.server.weight': '3' };
  assert.deepEqual(servers(build([web(1, base), web(2, weighted)]), 's@docker')?.length, 2);
});

test('routers that differ answer 503 where they would stand in one place', () => {
  const built = build([
    web(1, base),
    web(2, { ...base, 'traefik.http.routers.r.middlewares': 'auth,other' }),
  ]);
  const message =
    'router r is defined by the containers web-1 and web-2 with different middlewares: it answers 503';
  assert.deepEqual(router(built, 'r@docker').errors, [message]);
  const [told] = built.found;
  assert.equal(told?.message, message);
  assert.equal(told?.where.source, 'web-2');
  assert.equal(told?.related?.[0]?.source, 'web-1');
});

test('routers that differ in their place are removed', () => {
  const built = build([web(1, base), web(2, { ...base, 'traefik.http.routers.r.rule': 'Path(`/b`)' })]);
  assert.deepEqual(routerNames(built), []);
  assert.match(built.found[0]?.message ?? '', /different rule: neither is used/);
});

test('a middleware that differs closes the routers that use it, and still guards its headers', () => {
  const other = { ...base, 'traefik.http.middlewares.auth.forwardauth.authresponseheaders': 'X-Role' };
  const built = build([web(1, base), web(2, other)]);
  assert.match(
    router(built, 'r@docker').errors.join(),
    /middleware auth@docker is broken: .*web-1 and web-2 with different authResponseHeaders/,
  );
  const spec = built.snapshot.middlewares.find(({ name }) => name === 'auth@docker');
  assert.ok(spec?.kind === 'forwardAuth');
  assert.deepEqual((spec.options as { authResponseHeaders: string[] }).authResponseHeaders, [
    'X-User',
    'X-Role',
  ]);
});

test('values never reach a message', () => {
  const other = { ...base, 'traefik.http.middlewares.auth.forwardauth.address': 'http://secret-host' };
  assert.doesNotMatch(JSON.stringify(build([web(1, base), web(2, other)]).found), /secret-host|10\.0\.0\.9/);
});

test('services whose options differ close the routers that use them', () => {
  const built = build([
    web(1, base),
    web(2, { ...base, 'traefik.http.services.s.loadbalancer.passhostheader': 'false' }),
  ]);
  assert.match(
    router(built, 'r@docker').errors.join(),
    /service s@docker is broken: .*different passHostHeader/,
  );
});

test('three containers of which one differs are told once', () => {
  const other = { ...base, 'traefik.http.services.s.loadbalancer.passhostheader': 'false' };
  assert.deepEqual(
    codes(build([web(1, base), web(2, other), web(3, base)]).found).map((line) => line.split(' ')[1]),
    ['docker.conflict'],
  );
});

test('a container whose labels have errors never affects one without', () => {
  for (const broken of [
    { ...base, 'traefik.http.routers.r.middlewars': 'auth' },
    { ...base, 'traefik.http.middlewares.auth.forwardauth.adress': 'x' },
    { ...base, 'traefik.http.services.s.loadbalancer.sticky': 'maybe' },
  ]) {
    const built = build([web(1, broken), web(2, base)]);
    assert.deepEqual(router(built, 'r@docker').errors, []);
    assert.deepEqual(servers(built, 's@docker'), ['http://10.0.0.2:80']);
    assert.ok(built.found.length > 0);
  }
});

test('a router may name the service of another container', () => {
  const built = build([
    web(1, { 'traefik.http.routers.r.rule': 'Path(`/`)', 'traefik.http.routers.r.service': 's2' }),
    web(2, {
      'traefik.http.services.s2.loadbalancer.server.port': '81',
      'traefik.http.routers.q.rule': 'Path(`/q`)',
    }),
  ]);
  assert.deepEqual(router(built, 'r@docker').errors, []);
});
