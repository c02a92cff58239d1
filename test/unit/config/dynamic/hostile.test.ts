// Names and values in a configuration that are traps for a program in JavaScript, or secrets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';

function load(text: string) {
  return loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml');
}

test('a router called __proto__ is broken, in its place, and changes no other object', () => {
  const { config, sound } = load(
    'http:\n  routers:\n    __proto__: { rule: "Path(`/a`)", service: s, middlewares: [auth] }',
  );
  const router = config.routers.get('__proto__');
  assert.equal(router?.value.rule, 'Path(`/a`)');
  assert.notEqual(router?.errors.length, 0);
  assert.equal(sound, false);
  assert.equal(({} as Record<string, unknown>)['rule'], undefined);
});

test('a broken forwardAuth still says which names only its auth server may set', () => {
  const { config } = load(
    'http:\n  middlewares:\n    a: { forwardAuth: { adress: x, authResponseHeaders: "X-User-Id, X-Role", headerField: X-Name } }',
  );
  const middleware = config.middlewares.get('a');
  assert.notEqual(middleware?.errors.length, 0);
  assert.deepEqual(middleware?.value, {
    kind: 'forwardAuth',
    options: { authResponseHeaders: ['X-User-Id', 'X-Role'], headerField: 'X-Name' },
  });
});

test('user and password of an address that cannot be read are not repeated', () => {
  for (const address of ['htp://user:hush@auth/v', '//user:hush@auth', 'ftp://user:hu@sh@auth']) {
    const { diagnostics } = load(`http:\n  middlewares:\n    a: { forwardAuth: { address: "${address}" } }`);
    assert.notEqual(diagnostics.length, 0);
    assert.doesNotMatch(JSON.stringify(diagnostics), /hush|hu@sh/);
  }
});
