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

test('an empty file, null sections and the keys of a static file give nothing and no complaint', () => {
  for (const text of [
    '',
    '# only a comment',
    'http:',
    'http:\n  routers:\n',
    'entryPoints: { web: { address: ":80" } }\nlog: {}',
  ]) {
    const loaded = load(text);
    assert.deepEqual([loaded.diagnostics, loaded.sound, loaded.config.routers.size], [[], true, 0], text);
  }
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
  serversTransports: { t: { minVersion: VersionTLS13 } }`);
  const { snapshot } = resolveSources([{ provider: 'file', parts: [config] }]);
  const errors = (name: string) => snapshot.services.find((service) => service.name === name)?.errors;
  assert.deepEqual(errors('s@file'), ['serversTransport t@file is broken']);
  assert.deepEqual(errors('lost@file'), ["serversTransport nope@file doesn't exist"]);
});
