// The gateway's own routers: ping, API, redirections.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPriority } from '../../../src/model/snapshot.ts';
import { internalConfig } from '../../../src/providers/internal/internal.ts';
import { entryPoint } from '../../support/specs.ts';
import { resolveFiles, resolveSources, router } from '../config/dynamic/support.ts';

test('ping and the insecure API outrank every router of a user', () => {
  const resolved = resolveSources([], { ping: 'traefik', insecureApi: true });
  const ping = router(resolved, 'ping@internal');
  assert.deepEqual(
    [ping.rule, ping.priority, ping.entryPoints, ping.service],
    ['PathPrefix(`/ping`)', maxPriority, ['traefik'], 'ping@internal'],
  );
  const api = router(resolved, 'api@internal');
  assert.deepEqual(
    [api.rule, api.priority, api.service],
    ['PathPrefix(`/api`)', maxPriority - 1n, 'api@internal'],
  );
  assert.deepEqual([...ping.errors, ...api.errors], []);
});

test('what is off has no service, and a router that names it is told how to switch it on', () => {
  const names = (options: Parameters<typeof resolveSources>[1]) =>
    resolveSources([], options).snapshot.services.map((service) => service.name);
  assert.deepEqual(names({}), ['noop@internal']);
  assert.deepEqual(names({ ping: 'traefik', insecureApi: true }), [
    'api@internal',
    'dashboard@internal',
    'noop@internal',
    'ping@internal',
  ]);
  const { diagnostics } = resolveFiles({
    'f.yml': 'http: {routers: {r: {rule: "Host(`a`)", service: api@internal}}}',
  });
  assert.match(diagnostics[0]?.message ?? '', /service api@internal doesn't exist/);
  assert.match(diagnostics[0]?.hint ?? '', /--api=true/);
});

test('the API without `insecure` and ping routed by hand are services without routers', () => {
  const config = internalConfig({
    entryPoints: [],
    ping: { entryPoint: 'traefik', manualRouting: true },
    api: { basePath: '/', insecure: false, dashboard: false, debug: true },
  });
  assert.deepEqual(
    [[...(config.parts[0]?.services.keys() ?? [])], config.parts[0]?.routers.size],
    [['noop', 'ping', 'api'], 0],
  );
});

test('the insecure API brings the dashboard, and debugging data when they are asked for, under the base path', () => {
  const config = internalConfig({
    entryPoints: [],
    ping: null,
    api: { basePath: '/gate.x/', insecure: true, dashboard: true, debug: true },
  });
  const part = config.parts[0];
  const rules = [...(part?.routers ?? [])].map(([name, { value }]) => [name, value.rule, value.priority]);
  assert.deepEqual(rules, [
    ['api', 'PathPrefix(`/gate.x/api`)', maxPriority - 1n],
    ['dashboard', 'PathPrefix(`/gate.x`)', maxPriority - 2n],
    ['debug', 'PathPrefix(`/gate.x/debug`)', maxPriority - 1n],
  ]);
  const options = part?.middlewares.get('dashboard_redirect')?.value.options;
  assert.deepEqual(options, {
    regex: '^(https?://[^/]+)/gate[.]x/$',
    replacement: '${1}/gate.x/dashboard/',
    permanent: true,
  });
  assert.deepEqual(part?.routers.get('dashboard')?.value.middlewares, [
    'dashboard_redirect',
    'dashboard_stripprefix',
  ]);
});

test('the middlewares of an entry point guard the routers of the gateway itself', () => {
  const entryPoints = [entryPoint('traefik', { middlewares: ['auth@file'] })];
  const resolved = resolveSources([], { entryPoints, ping: 'traefik', insecureApi: true });
  for (const name of ['ping@internal', 'api@internal', 'dashboard@internal'])
    assert.equal(router(resolved, name).middlewares[0], 'auth@file', name);
});

test('services of features that are not there are refused by name', () => {
  for (const [name, hint] of [
    ['rest@internal', /rest provider is not supported/],
    ['prometheus@internal', /metrics/],
  ] as const) {
    const { diagnostics } = resolveFiles({
      'f.yml': `http: {routers: {r: {rule: "Host(\`a\`)", service: ${name}}}}`,
    });
    assert.match(diagnostics[0]?.hint ?? '', hint);
  }
});

for (const [to, port, expected] of [
  ['safe', 443, ''],
  ['safe', 8443, '8443'],
  [':9443', 443, '9443'],
] as const) {
  test(`a redirection to ${to} on ${port} goes to port ${expected === '' ? 'none' : expected}`, () => {
    const redirection = { to, scheme: 'https', permanent: true, priority: maxPriority - 1n };
    const entryPoints = [entryPoint('web', { redirection }), entryPoint('safe', { port })];
    const resolved = resolveSources([], { entryPoints });
    const redirect = router(resolved, `web-to-${to.replace(':', '')}@internal`);
    assert.deepEqual(
      [redirect.rule, redirect.entryPoints, redirect.service],
      ['HostRegexp(`^.+$`)', ['web'], 'noop@internal'],
    );
    const middleware = resolved.snapshot.middlewares.find(
      (candidate) => candidate.name === redirect.middlewares[0],
    );
    assert.deepEqual(
      [middleware?.kind, middleware?.options],
      ['redirectScheme', { scheme: 'https', port: expected, permanent: true }],
    );
  });
}

test('allowACMEByPass makes the challenge router one among the others, and the redirection leaves its path alone', () => {
  const redirection = { to: ':443', scheme: 'https', permanent: true, priority: maxPriority - 1n };
  const strict = entryPoint('web', { redirection });
  const routersOf = (point: typeof strict) =>
    internalConfig({ entryPoints: [point], ping: null, api: null, challenges: ['web'] }).parts[0]?.routers;
  const challengeRule = 'PathPrefix(`/.well-known/acme-challenge/`)';
  const alone = routersOf(strict);
  assert.deepEqual([...(alone?.keys() ?? [])], ['acme-http', 'web-to-443']);
  assert.equal(alone?.get('acme-http')?.value.priority, maxPriority);
  const among = routersOf({ ...strict, allowAcmeByPass: true });
  assert.deepEqual([...(among?.keys() ?? [])], ['acme-http-bypass', 'web-to-443']);
  assert.equal(among?.get('acme-http-bypass')?.value.priority, 0n);
  assert.equal(among?.get('web-to-443')?.value.rule, `HostRegexp(\`^.+$\`) && !${challengeRule}`);
});
