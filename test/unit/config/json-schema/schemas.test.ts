// The JSON Schemas and the reference: up to date, and saying what the gateway itself says.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { schemaNames, schemaOf, schemaText } from '../../../../src/config/json-schema/files.ts';
import { referenceText } from '../../../../src/config/json-schema/reference.ts';
import { unsupportedKeys, unsupportedText } from '../../../../src/config/json-schema/unsupported.ts';
import { staticKeys } from '../../../../src/config/static/keys.ts';
import { catalogue } from '../../../../src/proxy/middlewares/catalogue.ts';

const root = path.resolve(import.meta.dirname, '../../../..');

function stored(file: string): string {
  const full = path.join(root, file);
  return existsSync(full) ? readFileSync(full, 'utf8') : '';
}

describe('what is generated is up to date', () => {
  for (const name of schemaNames) {
    test(`ops/schema/${name}.json`, () => {
      const command = 'npm run --silent start -- schema --write ops/schema';
      assert.ok(stored(`ops/schema/${name}.json`) === schemaText(name), `it is not: run ${command}`);
    });
  }

  test('docs/configuration.md', () => {
    const command = 'npm run --silent start -- schema --reference > docs/configuration.md';
    assert.ok(stored('docs/configuration.md') === referenceText(), `it is not: run ${command}`);
  });
});

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly not?: unknown;
}

function at(schema: unknown, ...keys: readonly string[]): Node {
  let node = schema as Node;
  for (const key of keys) {
    const holder =
      node.properties === undefined
        ? (node.anyOf?.find(({ properties }) => properties !== undefined) ?? node)
        : node;
    node = (key === '*' ? holder.additionalProperties : holder.properties?.[key]) as Node;
    assert.ok(node, key);
  }
  return node;
}

test('a default stands as people write it, a removed key can never be right', () => {
  const whole = schemaOf('static');
  assert.equal(at(whole, 'providers', 'providersThrottleDuration').default, '2s');
  assert.deepEqual(at(whole, 'providers', 'docker', 'swarmMode').not, {});
  assert.equal(
    at(schemaOf('dynamic'), 'http', 'services', '*', 'loadBalancer', 'healthCheck', 'interval').default,
    '30s',
  );
});

test('a section may be a switch, and an unknown key is refused at every level', () => {
  const ping = at(schemaOf('static'), 'ping');
  assert.ok(ping.anyOf?.some(({ enum: values }) => values?.includes(true)));
  assert.equal(at(schemaOf('dynamic'), 'http', 'routers', '*').additionalProperties, false);
});

test('every middleware of the catalogue is in the schema and in the reference', () => {
  const text = referenceText();
  for (const { kind } of catalogue) {
    assert.ok(at(schemaOf('dynamic'), 'http', 'middlewares', '*', kind));
    assert.match(text, new RegExp(`#### ${kind}\n`));
  }
});

test('the schema of labels takes any case, lists and maps, and refuses what nobody reads', () => {
  const [map, list] = at(schemaOf('compose-labels')).anyOf as unknown as [
    { propertyNames: { pattern: string }; patternProperties: Record<string, unknown> },
    { items: { pattern: string } },
  ];
  const names = new RegExp(map.propertyNames.pattern);
  const items = new RegExp(list.items.pattern);
  for (const name of [
    'traefik.enable',
    'traefik.http.routers.My-App.rule',
    'traefik.http.routers.a.tls',
    'traefik.HTTP.Routers.a.TLS.Domains[0].Main',
    'traefik.http.services.a.loadbalancer.server.port',
    'traefik.http.services.a.loadbalancer.healthcheck.path',
    'traefik.http.middlewares.a.forwardAuth.authResponseHeaders',
    'traefik.http.middlewares.a.headers.customrequestheaders.X-My-Header',
    'com.example.other',
  ]) {
    assert.match(name, names);
    assert.match(`${name}=x`, items);
  }
  for (const name of [
    'traefik.enabled',
    'traefik.http.routers.a.rules',
    'traefik.port',
    'traefik.http.routers.a',
  ])
    assert.doesNotMatch(name, names);
  for (const pattern of Object.keys(map.patternProperties))
    assert.doesNotThrow(() => new RegExp(pattern, 'u'));
});

test('what is not supported is found out from the schemas and the loaders', () => {
  const paths = unsupportedKeys().map(({ path: key }) => key);
  assert.ok(paths.includes('providers.swarm') && paths.includes('pilot') && paths.includes('tcp'));
  const marked = staticKeys().filter(({ note }) => note.status === 'refused' || note.status === 'removed');
  for (const { path: key } of marked)
    assert.ok(
      paths.some((found) => key === found || key.startsWith(`${found}.`)),
      key,
    );
  assert.equal(new Set(paths).size, paths.length);
  assert.match(unsupportedText(), /^pilot +removed in v3 +delete the section$/m);
});
