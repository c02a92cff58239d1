// `metrics` of the static configuration: defaults, spellings, and what cannot be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadStatic } from '../../../src/config/static/load.ts';
import { resolveStatic } from '../../../src/config/static/resolve.ts';

function resolve(...flags: readonly string[]) {
  const { config, diagnostics } = loadStatic({ argv: flags, env: {}, cwd: '/nowhere' });
  assert.ok(config !== null, JSON.stringify(diagnostics));
  const resolved = resolveStatic(config, '00');
  return { ...resolved, diagnostics: [...diagnostics, ...resolved.diagnostics] };
}

test('metrics are off until they are asked for, and then as Traefik has them', () => {
  assert.equal(resolve('--entrypoints.web.address=:80').prometheus, null);
  const { prometheus, worker, entryPoints, diagnostics } = resolve('--metrics.prometheus');
  assert.deepEqual(prometheus?.metrics, {
    buckets: [0.1, 0.3, 1.2, 5],
    entryPoints: true,
    routers: false,
    services: true,
    addInternals: false,
    headerLabels: [],
  });
  assert.equal(worker.metrics, prometheus?.metrics);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    entryPoints.map(({ name, port }) => [name, port]),
    [
      ['http', 80],
      ['traefik', 8080],
    ],
  );
});

test('an entry point of their own is not made where it is not needed', () => {
  const names = resolve('--metrics.prometheus.manualRouting=true').entryPoints.map(({ name }) => name);
  assert.deepEqual(names, ['http']);
});

test('flags give buckets and header labels', () => {
  const { prometheus } = resolve(
    '--metrics.prometheus.buckets=0.005,0.5,10',
    '--metrics.prometheus.headerlabels.tenant=X-Tenant',
    '--metrics.prometheus.addrouterslabels=true',
    '--metrics.addinternals=true',
  );
  assert.deepEqual(prometheus?.metrics.buckets, [0.005, 0.5, 10]);
  assert.deepEqual(prometheus?.metrics.headerLabels, [{ label: 'tenant', header: 'x-tenant' }]);
  assert.equal(prometheus?.metrics.routers, true);
  assert.equal(prometheus?.metrics.addInternals, true);
});

for (const [flag, wrong] of [
  ['--metrics.prometheus.entrypoint=nowhere', 'metrics.prometheus.entryPoint'],
  ['--metrics.prometheus.buckets=1,0.5', 'metrics.prometheus.buckets'],
  ['--metrics.prometheus.buckets=0,1', 'metrics.prometheus.buckets'],
  ['--metrics.prometheus.headerlabels.code=X-Code', 'metrics.prometheus.headerLabels'],
  ['--metrics.prometheus.headerlabels.a-b=X-Code', 'metrics.prometheus.headerLabels'],
] as const) {
  test(`${flag} is refused`, () => {
    const { diagnostics } = resolve('--entrypoints.web.address=:80', flag);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    assert.deepEqual(
      errors.map(({ where }) => where.path?.toLowerCase()),
      [wrong.toLowerCase()],
    );
  });
}
