// Services that name other services: what is written, and everything that can be wrong with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../../../../src/model/snapshot.ts';
import { lines, resolveFiles, router } from './support.ts';

const leaves = `
    plain: { loadBalancer: { servers: [{ url: "http://a" }] } }
    checked: { loadBalancer: { servers: [{ url: "http://a" }], healthCheck: { path: / } } }
    passive: { loadBalancer: { servers: [{ url: "http://a" }], passiveHealthCheck: {} } }`;

function read(services: string, more = '') {
  const resolved = resolveFiles({ 'a.yml': `http:\n  services:${leaves}\n${services}\n${more}` });
  const service = (name: string): ServiceSpec => {
    const found = resolved.snapshot.services.find((spec) => spec.name === `${name}@file`);
    assert.ok(found !== undefined, name);
    return found;
  };
  return { resolved, service, text: lines([...resolved.loaded, ...resolved.diagnostics]).join('\n') };
}

test('each type has the defaults a user expects, and references are qualified', () => {
  const { service, text } = read(`
    w: { weighted: { services: [{ name: plain }, { name: checked@file, weight: 0 }] } }
    h: { highestRandomWeight: { services: [{ name: plain, weight: 3 }] } }
    m: { mirroring: { service: plain, mirrors: [{ name: checked }] } }
    f: { failover: { service: checked, fallback: plain } }
    e: { failover: { service: plain, fallback: checked, errors: { status: ["500", "502-504"] } } }`);
  assert.equal(text, '');
  assert.deepEqual(service('w'), {
    kind: 'weighted',
    name: 'w@file',
    provider: 'file',
    children: [
      { name: 'plain@file', written: 'plain', weight: 1 },
      { name: 'checked@file', written: 'checked@file', weight: 0 },
    ],
    sticky: null,
    followsHealth: false,
    errors: [],
  });
  assert.deepEqual(service('m'), {
    kind: 'mirroring',
    name: 'm@file',
    provider: 'file',
    service: 'plain@file',
    mirrorBody: true,
    maxBodySize: -1,
    mirrors: [{ name: 'checked@file', percent: 0 }],
    followsHealth: false,
    errors: [],
  });
  const e = service('e');
  assert.ok(e.kind === 'failover');
  assert.deepEqual(e.onErrors, {
    status: [
      [500, 500],
      [502, 504],
    ],
    maxRequestBodyBytes: -1,
  });
});

test('a child that does not exist breaks its parents, names the key and hints at the nearest', () => {
  const { resolved, service, text } = read(
    `
    w: { weighted: { services: [{ name: plain }, { name: chekced }] } }
    outer: { mirroring: { service: w } }`,
    '  routers: { r: { rule: "Path(`/`)", service: outer }, ok: { rule: "Path(`/ok`)", service: plain } }',
  );
  assert.match(text, /service w@file: weighted\.services\[1\]\.name: service chekced@file doesn't exist/);
  const found = resolved.diagnostics.find(({ code }) => code === 'config.unknown_service');
  assert.match(found?.hint ?? '', /checked@file/);
  assert.equal(found?.where.source, 'a.yml');
  assert.equal(typeof found?.where.line, 'number');
  assert.equal(service('outer').errors.length, 1);
  assert.equal(router(resolved, 'r@file').errors.length, 1);
  assert.deepEqual(router(resolved, 'ok@file').errors, []);
});

test('a service that contains itself is named with its way, and so is one that comes back by a middleware', () => {
  const { service, text } = read(
    `
    one: { weighted: { services: [{ name: two }] } }
    two: { failover: { service: three, fallback: plain, errors: { status: ["500"] } } }
    three: { mirroring: { service: plain, mirrors: [{ name: one, percent: 1 }] } }
    self: { weighted: { services: [{ name: self }] } }
    pages: { loadBalancer: { servers: [{ url: "http://a" }] }, middlewares: [chained] }`,
    `  middlewares:
    chained: { chain: { middlewares: [errors] } }
    errors: { errors: { status: ["500"], service: pages, query: / } }`,
  );
  assert.match(text, /service recursion detected in one@file->two@file->three@file->one@file/);
  assert.match(text, /service recursion detected in self@file->self@file/);
  assert.match(text, /service pages@file: middlewares: service recursion detected in pages@file->pages@file/);
  for (const name of ['one', 'two', 'three', 'self', 'pages'])
    assert.notEqual(service(name).errors.length, 0, name);
});

test('health is propagated only where every child tells it', () => {
  const { service, text } = read(`
    good: { weighted: { healthCheck: {}, services: [{ name: checked }, { name: passive }] } }
    above: { mirroring: { service: good, mirrors: [{ name: plain }], healthCheck: {} } }
    bad: { weighted: { healthCheck: {}, services: [{ name: checked }, { name: plain }] } }
    hrw: { highestRandomWeight: { healthCheck: {}, services: [{ name: silent }] } }
    silent: { weighted: { services: [{ name: checked }] } }
    blind: { failover: { service: plain, fallback: checked } }
    seeing: { failover: { service: plain, fallback: plain, errors: { status: ["500"] } } }
    both: { failover: { service: checked, fallback: plain, healthCheck: {} } }`);
  for (const name of ['good', 'above', 'seeing', 'silent']) assert.deepEqual(service(name).errors, [], name);
  for (const name of ['bad', 'hrw', 'blind', 'both']) assert.equal(service(name).errors.length, 1, name);
  assert.match(
    text,
    /bad@file: weighted\.services\[1\]\.name: healthCheck is not enabled in service plain@file/,
  );
  assert.match(text, /both@file: failover\.fallback: healthCheck is not enabled/);
});

test('values out of range are named with their key and what was expected', () => {
  const { resolved, service } = read(`
    weight: { weighted: { services: [{ name: plain, weight: -1 }] } }
    percent: { mirroring: { service: plain, mirrors: [{ name: plain, percent: 101 }] } }
    strategy: { loadBalancer: { strategy: random, servers: [] } }
    status: { failover: { service: plain, fallback: plain, errors: { status: ["5xx"] } } }
    nameless: { weighted: { services: [{ weight: 1 }] } }
    halfway: { failover: { service: plain } }
    none: {}
    two: { weighted: { services: [] }, loadBalancer: { servers: [] } }`);
  const text = resolved.loaded.map(({ where, message }) => `${where.path ?? ''} ${message}`).join('\n');
  for (const pattern of [
    /weighted\.services\[0\]\.weight\b.*expected 0 or more/,
    /mirroring\.mirrors\[0\]\.percent\b.*expected 0 to 100/,
    /loadBalancer\.strategy\b.*wrr/,
    /failover\.errors\.status\b.*expected status codes/,
    /weighted\.services\[0\]\.name/,
    /failover\.fallback/,
  ]) {
    assert.match(text, pattern);
  }
  for (const name of ['weight', 'percent', 'strategy', 'status', 'nameless', 'halfway', 'none', 'two'])
    assert.notEqual(service(name).errors.length, 0, name);
});

test('services lie at most 16 deep, and a chain of thousands is refused without harm', () => {
  const chain = (count: number, name: string): string =>
    Array.from({ length: count }, (_, i) => {
      const next = i + 1 === count ? 'plain' : `${name}${i + 1}`;
      return `    ${name}${i}: { weighted: { services: [{ name: ${next} }] } }`;
    }).join('\n');
  const { service, text } = read(`${chain(15, 'fine')}\n${chain(16, 'deep')}\n${chain(3000, 'far')}`);
  assert.deepEqual(service('fine0').errors, []);
  assert.match(service('deep0').errors.join(), /17 deep/);
  assert.notEqual(service('far0').errors.length, 0);
  assert.ok(text.length < 5_000_000);
});

test('hrw leaves sticky aside, and says so', () => {
  const { service, text } = read(
    '    s: { loadBalancer: { strategy: hrw, sticky: { cookie: {} }, servers: [{ url: "http://a" }] } }',
  );
  const spec = service('s');
  assert.ok(spec.kind === 'loadBalancer');
  assert.equal(spec.sticky, null);
  assert.match(text, /sticky has no effect with the strategy hrw/);
});

test('middlewares of a service are laid flat, and one that is missing closes all that is made of it', () => {
  const { resolved, service } = read(
    `
    flat: { loadBalancer: { servers: [{ url: "http://a" }] }, middlewares: [all] }
    lost: { loadBalancer: { servers: [{ url: "http://a" }] }, middlewares: [nobody] }
    above: { weighted: { services: [{ name: lost }] } }
    top: { failover: { service: above, fallback: plain, errors: { status: ["500"] } } }`,
    `  middlewares:
    all: { chain: { middlewares: [one, one] } }
    one: { addPrefix: { prefix: /x } }
  routers: { r: { rule: "Path(\`/\`)", service: top } }`,
  );
  const flat = service('flat');
  assert.ok(flat.kind === 'loadBalancer');
  assert.deepEqual(flat.middlewares, ['one@file', 'one@file']);
  for (const name of ['lost', 'above', 'top']) assert.equal(service(name).errors.length, 1, name);
  assert.equal(router(resolved, 'r@file').errors.length, 1);
});
