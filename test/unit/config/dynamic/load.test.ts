// Loading a tree: each object by itself, and what is said never shows a secret.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../../src/config/decode.ts';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { dynamicSchema } from '../../../../src/config/dynamic/schema.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';
import { resolveSources } from './support.ts';

function load(text: string) {
  return loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml');
}

test('an empty file and null sections give nothing and no complaint', () => {
  for (const text of ['', '# only a comment', 'http:', 'http:\n  routers:\n']) {
    const loaded = load(text);
    assert.deepEqual([loaded.diagnostics, loaded.sound, loaded.config.routers.size], [[], true, 0], text);
  }
});

test('the keys of a static file are named, since one file may be both', () => {
  const loaded = load('entryPoints: { web: { address: ":80" } }\nlog: {}');
  assert.deepEqual(
    loaded.diagnostics.map(({ severity, where }) => `${severity} ${where.path}`),
    ['info entryPoints', 'info log'],
  );
  assert.equal(loaded.sound, true);
});

test('a root or section in two spellings is an error: one of the two would be lost', () => {
  for (const text of [
    'http: {routers: {r: {rule: x, service: s}}}\nHTTP: {}',
    'http:\n  routers: {r: {rule: x, service: s}}\n  Routers: {q: {rule: x, service: s}}',
  ]) {
    const loaded = load(text);
    assert.deepEqual(
      loaded.diagnostics.map(({ code, where }) => `${code} ${where.line}`),
      [`config.duplicate_key ${text.includes('HTTP') ? 2 : 3}`],
    );
    assert.deepEqual([loaded.sound, [...loaded.config.routers.keys()]], [false, ['r']]);
  }
});

test('a tls section that is empty by accident is named', () => {
  const loaded = load('http:\n  routers:\n    r: {rule: x, service: s, tls: }\n');
  assert.deepEqual(
    loaded.diagnostics.map(({ severity, code, where }) => `${severity} ${code} ${where.path}`),
    ['warning config.empty_key http.routers.r.tls'],
  );
});

test('keys under tls are told with their whole path', () => {
  const [found] = load('tls: {domains: [x]}').diagnostics;
  assert.match(`${found?.message} ${found?.hint}`, /in `tls` belongs to a router/);
});

test('a file that is no map, a section that is no map and an empty section are errors', () => {
  for (const text of ['- a', 'just text', 'http: [a]', 'http:\n  routers: [a]', 'http:\n  middlewares: {}']) {
    const loaded = load(text);
    assert.deepEqual([loaded.diagnostics.length, loaded.sound], [1, false], text);
  }
});

test('one broken object leaves its neighbours whole', () => {
  const { config, sound } = load(
    'http:\n  middlewares:\n    good: { addPrefix: { prefix: /x } }\n    bad: { addPrefix: { nope: 1 } }',
  );
  assert.deepEqual(config.middlewares.get('good')?.errors, []);
  assert.match(config.middlewares.get('bad')?.errors[0] ?? '', /unknown key `nope`/);
  assert.equal(sound, false);
});

test('a password in a server URL is refused and never repeated', () => {
  const { diagnostics } = load(
    'http:\n  services:\n    s: { loadBalancer: { servers: [{ url: "http://user:hunter2@a" }] } }',
  );
  assert.equal(diagnostics.length, 1);
  assert.doesNotMatch(JSON.stringify(diagnostics), /hunter2/);
});

test('an object named like something every object has is an object like others, or refused', () => {
  const { config, diagnostics } = load(
    'http:\n  middlewares:\n    __proto__: { addPrefix: { prefix: /x } }\n    constructor: { addPrefix: { prefix: /y } }',
  );
  assert.deepEqual(config.middlewares.get('constructor')?.value, {
    kind: 'addPrefix',
    options: { prefix: '/y' },
  });
  const odd = config.middlewares.get('__proto__');
  assert.ok(odd === undefined || odd.errors.length > 0 || odd.value.kind === 'addPrefix');
  assert.ok(diagnostics.length <= 1);
  assert.equal(({} as Record<string, unknown>)['addPrefix'], undefined);
});

test('the whole schema agrees with what is loaded object by object', () => {
  const text = `http:
  routers: { r: { rule: "Path(\`/\`)", service: s, tls: true } }
  services: { s: { loadBalancer: { servers: [{ url: "http://a:1" }], sticky: { cookie: true } } } }
  middlewares: { m: { stripPrefix: { prefixes: /a } } }
  serversTransports: { t: { rootCAs: [x] } }
tls: { options: { default: { sniStrict: true } } }`;
  const tree = parseYaml(text, 'a.yml').tree;
  assert.ok(tree !== null);
  const whole = decode(dynamicSchema, tree);
  assert.deepEqual(whole.diagnostics, []);
  const { config } = loadDynamic(tree, 'a.yml');
  assert.deepEqual(config.routers.get('r')?.value, whole.value?.http?.routers?.['r']);
  assert.deepEqual(config.transports.get('t')?.value, whole.value?.http?.serversTransports?.['t']);
  const service = config.services.get('s')?.value;
  assert.ok(service?.kind === 'loadBalancer');
  assert.deepEqual(service.loadBalancer, whole.value?.http?.services?.['s']?.loadBalancer);
});

test('a transport that asks for what we cannot hold is broken, and so is the service that names it', () => {
  const { config } = load(`http:
  services: { s: { loadBalancer: { serversTransport: t, servers: [{ url: "https://a" }] } }, lost: { loadBalancer: { serversTransport: nope, servers: [] } } }
  serversTransports: { t: { spiffe: { ids: [spiffe://a/b] } } }`);
  const { snapshot } = resolveSources([{ provider: 'file', parts: [config] }]);
  const errors = (name: string) => snapshot.services.find((service) => service.name === name)?.errors;
  assert.deepEqual(errors('s@file'), ['serversTransport t@file is broken']);
  assert.deepEqual(errors('lost@file'), ["serversTransport nope@file doesn't exist"]);
});
