// `traefik.tls…` labels: the certificate of the default store may be ordered, files may not be chosen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { router } from '../../config/dynamic/support.ts';
import { build, codes, container } from './containers.ts';

const store = 'traefik.tls.stores.default';

test('labels may say which certificate is ordered for the default store', () => {
  const built = build([
    container('app', {
      [`${store}.defaultgeneratedcert.resolver`]: 'le',
      [`${store}.defaultgeneratedcert.domain.main`]: 'example.com',
      [`${store}.defaultgeneratedcert.domain.sans`]: '*.example.com, example.org',
    }),
  ]);
  assert.deepEqual(built.found, []);
  assert.deepEqual(built.certificateRequests, [
    { resolver: 'le', names: ['example.com', '*.example.com', 'example.org'], by: ['stores.default'] },
  ]);
});

test('labels choose no files and make no options: both are left out by name, the container works', () => {
  const built = build([
    container('app', {
      'traefik.tls.certificates[0].certfile': '/etc/shadow',
      'traefik.tls.options.default.minversion': 'VersionTLS12',
      'traefik.http.routers.app.tls': 'true',
    }),
  ]);
  assert.deepEqual(codes(built.found), [
    'warning config.ignored_label app traefik.tls.certificates[0].certfile',
    'warning config.ignored_label app traefik.tls.options.default.minversion',
  ]);
  assert.deepEqual(built.snapshot.tls.options.length, 1);
  assert.deepEqual(router(built, 'app@docker').errors, []);
});
