// The gateway's own routers: ping, API, redirections.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPriority } from '../../../src/model/snapshot.ts';
import { entryPoint, resolveSources, router } from '../config/dynamic/support.ts';

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

test('the internal services are there whatever is switched on', () => {
  const { services } = resolveSources([]).snapshot;
  assert.deepEqual(
    services.map((service) => [service.name, service.kind === 'internal' ? service.target : null]),
    [
      ['api@internal', 'api'],
      ['dashboard@internal', 'api'],
      ['noop@internal', 'noop'],
      ['ping@internal', 'ping'],
    ],
  );
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
