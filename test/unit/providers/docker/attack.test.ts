// What one container's labels can do to the routes of another: add to them what everybody agrees on, or close them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Container } from '../../../../src/providers/docker/container.ts';
import type { LastGood } from '../../../../src/providers/docker/settings.ts';
import { type Built, build, container, type Labels, network, servers } from './containers.ts';

const app: Labels = {
  'traefik.http.routers.app.rule': 'Host(`app.test`)',
  'traefik.http.routers.app.middlewares': 'auth',
  'traefik.http.middlewares.auth.forwardauth.address': 'http://auth.test',
};
const open: Labels = { 'traefik.http.middlewares.auth.headers.customrequestheaders.X-A': '1' };

const own = network('net', '10.0.0.7');

/** Whether the way to the container at `own` is closed, or still asks the auth server it was given. */
function isGuarded(built: Built): boolean {
  return built.snapshot.routers
    .filter(({ rule, errors }) => rule === 'Host(`app.test`)' && errors.length === 0)
    .filter(({ service }) => servers(built, service)?.some((url) => url.includes(own.ipv4)))
    .every(({ middlewares }) =>
      middlewares.some((used) => {
        const spec = built.snapshot.middlewares.find((one) => one.name === used);
        const address = (spec?.options as { address?: string } | null)?.address;
        return spec?.kind === 'forwardAuth' && address === 'http://auth.test';
      }),
    );
}

function victim(name: string, labels: Labels): Container {
  return container(name, labels, { networks: [own] });
}

test('two containers that define one guard differently close it', () => {
  assert.equal(isGuarded(build([victim('a', app), container('b', open)])), true);
});

const mistakes: readonly (readonly [string, Labels])[] = [
  ['in the guard itself', { 'traefik.http.middlewares.auth.forwardauth.trustForwardHeadr': 'true' }],
  ['in another router', { 'traefik.http.routers.other.rul': 'Path(`/`)' }],
  ['in the router', { 'traefik.http.routers.app.prioritee': '3' }],
  ['in a service', { 'traefik.http.services.s.loadbalancer.stcky': 'true' }],
  ['in a rule', { 'traefik.http.routers.other.rule': 'Path(`/`' }],
];

for (const [title, mistake] of mistakes) {
  test(`a mistake ${title} does not put another container’s middleware in place of the guard`, () => {
    assert.equal(isGuarded(build([victim('a', { ...app, ...mistake })])), true);
    assert.equal(isGuarded(build([victim('a', { ...app, ...mistake }), container('b', open)])), true);
    assert.equal(isGuarded(build([victim('b', { ...app, ...mistake }), container('a', open)])), true);
  });
}

test('a guard behind a chain is not replaced either', () => {
  const chained = {
    ...app,
    'traefik.http.routers.app.middlewares': 'all',
    'traefik.http.middlewares.all.chain.middlewares': 'auth',
    'traefik.http.routers.other.rul': 'x',
  };
  const built = build([container('a', chained), container('b', open)]);
  const router = built.snapshot.routers.find(({ name }) => name === 'app@docker');
  assert.ok(router !== undefined && router.errors.length > 0);
});

test('a mistake does not send a container’s requests to another one’s server', () => {
  const labels = {
    'traefik.http.routers.app.rule': 'Host(`app.test`)',
    'traefik.http.routers.app.service': 's',
    'traefik.http.services.s.loadbalancer.server.port': '80',
    'traefik.http.services.s.loadbalancer.passhostheader': 'false',
    'traefik.http.services.s.loadbalancer.stcky': 'true',
  };
  const other = {
    'traefik.http.routers.b.rule': 'Path(`/b`)',
    'traefik.http.services.s.loadbalancer.server.port': '90',
  };
  const built = build([
    container('a', labels),
    container('b', other, { networks: [network('net', '10.0.0.2')] }),
  ]);
  const router = built.snapshot.routers.find(({ name }) => name === 'app@docker');
  assert.ok(router !== undefined && router.errors.length > 0);
  const neighbour = built.snapshot.routers.find(({ name }) => name === 'b@docker');
  assert.deepEqual(neighbour?.errors, []);
  assert.deepEqual(servers(built, 's@docker'), ['http://10.0.0.2:90']);
});

test('labels cannot define anything of another provider, nor of another container by another spelling', () => {
  const names = [
    'auth@file',
    'auth@docker',
    'AUTH',
    'auth ',
    ' auth',
    '__proto__',
    'ａｕｔｈ',
    'auth\u200b',
    'auth\n',
  ];
  for (const name of names) {
    const labels = { [`traefik.http.middlewares.${name}.headers.customrequestheaders.X-A`]: '1' };
    const built = build([victim('a', app), container('b', labels)]);
    assert.equal(isGuarded(built), true, name);
    assert.ok(
      built.snapshot.middlewares.every((spec) => spec.name.endsWith('@docker')),
      name,
    );
  }
});

test('the labels of a container that is gone guard and open nothing any more', () => {
  const lastGood: LastGood = new Map();
  build([victim('a', app), container('b', open)], {}, lastGood);
  const built = build([victim('a', app)], {}, lastGood);
  assert.deepEqual(
    built.snapshot.middlewares.map(({ kind, errors }) => [kind, errors.length]),
    [['forwardAuth', 0]],
  );
});

const hostileLabels = fc.dictionary(
  fc
    .tuple(
      fc.constantFrom('routers', 'middlewares', 'services'),
      fc.constantFrom('app', 'auth', 'x', 'APP', 'auth@docker', '__proto__', 'é'),
      fc.constantFrom(
        'rule',
        'middlewares',
        'service',
        'priority',
        'entrypoints',
        'headers.framedeny',
        'chain.middlewares',
        'forwardauth.address',
        'loadbalancer.server.port',
        'loadbalancer.server.url',
        'nothing',
        'stripprefix',
      ),
    )
    .map(([section, name, key]) => `traefik.http.${section}.${name}.${key}`),
  fc.constantFrom(
    'app',
    'auth',
    'x',
    'true',
    '80',
    'Host(`app.test`)',
    'Path(`/`)',
    '(',
    '',
    'http://evil.test',
  ),
  { maxKeys: 6 },
);

test('whatever another container’s labels say, and whatever is wrong with its own, the router stays guarded', () => {
  const wrong = fc.constantFrom<Labels>({}, ...mistakes.map(([, labels]) => labels));
  fc.assert(
    fc.property(hostileLabels, wrong, fc.boolean(), (labels, mistake, isFirst) => {
      const self = victim(isFirst ? 'a' : 'c', { ...app, ...mistake });
      assert.equal(isGuarded(build([self, container('b', labels)])), true);
    }),
    { numRuns: Number(process.env['FUZZ'] ?? 200) },
  );
});
