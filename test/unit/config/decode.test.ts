// Trees against schemas.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { loadDynamic } from '../../../src/config/dynamic/load.ts';
import { decode } from '../../../src/config/decode.ts';
import { parseFlags } from '../../../src/config/sources/flags.ts';
import { parseYaml } from '../../../src/config/sources/yaml.ts';
import type { Tree } from '../../../src/config/tree.ts';
import {
  bigint,
  bool,
  duration,
  int,
  list,
  object,
  section,
  text,
} from '../../../src/proxy/middlewares/fields.ts';

const router = object({
  rule: text,
  priority: bigint.optional(),
  middlewares: list.optional(),
  password: int.optional(),
  timeout: duration.default(5),
  tls: section({
    domains: z.array(object({ main: text, sans: list.optional() })).optional(),
    on: bool.default(true),
  }).optional(),
});
const schema = object({
  http: object({ routers: z.record(z.string(), router).optional() }).optional(),
  ping: section({ port: int.default(7) }).optional(),
});

function yaml(written: string, options?: Parameters<typeof decode>[2]) {
  const { tree } = parseYaml(written, 'f');
  assert.ok(tree);
  return decode(schema, tree, options);
}

function flags(...argv: string[]) {
  const { tree } = parseFlags(argv, () => 'unknown');
  return decode(schema, tree as Tree);
}

function messages(result: { diagnostics: readonly { message: string }[] }): string[] {
  return result.diagnostics.map(({ message }) => message);
}

test('keys match in any case, names keep theirs', () => {
  const { value } = yaml('HTTP: {Routers: {MyApi: {RULE: x}}}');
  assert.deepEqual(value?.http?.routers?.['MyApi']?.rule, 'x');
});

test('a section comes on by {}, true or a child; null is absent; false is off', () => {
  assert.equal(yaml('ping: {}').value?.ping?.port, 7);
  assert.equal(yaml('ping: true').value?.ping?.port, 7);
  assert.equal(yaml('ping: {port: 8}').value?.ping?.port, 8);
  assert.deepEqual(yaml('ping:\nhttp: {routers: {a: {rule: x}}}').value?.ping, undefined);
  assert.deepEqual(yaml('ping: false').value, {});
});

test('a section flag set to false is off even with children', () => {
  assert.deepEqual(flags('--ping=false', '--ping.port=8').value, {});
  assert.equal(flags('--ping.port=8', '--ping=true').value?.ping?.port, 8);
  assert.equal(flags('--ping.port=8', '--ping=maybe').value, null);
  assert.deepEqual(messages(flags('--ping=maybe')), [
    '`ping` is "maybe", expected true, false or options by name',
  ]);
});

test('an empty map that is no section cannot stand alone', () => {
  const result = yaml('http: {routers: {}}');
  assert.equal(result.value, null);
  assert.deepEqual(messages(result), ['`http.routers` cannot be a standalone element']);
});

test('an unknown key has its place and the nearest key', () => {
  const { value, diagnostics } = yaml('http:\n  routers:\n    a:\n      rule: x\n      prioriti: 3\n');
  assert.equal(value, null);
  assert.equal(diagnostics.length, 1);
  assert.equal(diagnostics[0]?.code, 'config.unknown_key');
  assert.deepEqual(diagnostics[0].where, {
    source: 'f',
    line: 5,
    column: 7,
    path: 'http.routers.a.prioriti',
  });
  assert.equal(diagnostics[0].hint, 'did you mean `priority`?');
});

test('an unknown key at the root is an error, a warning or nothing, as asked', () => {
  assert.equal(yaml('x: 1').value, null);
  assert.deepEqual(yaml('x: 1', { unknownTopLevel: 'ignore' }), { value: {}, diagnostics: [] });
  const warned = yaml('x: 1', { unknownTopLevel: 'warn' });
  assert.deepEqual(warned.value, {});
  assert.equal(warned.diagnostics[0]?.severity, 'warning');
});

test('one key in two spellings is an error', () => {
  assert.deepEqual(yaml('ping: {port: 1, PORT: 2}').diagnostics[0]?.code, 'config.duplicate_key');
});

test('lists come as lists, comma texts and numbered maps', () => {
  assert.deepEqual(
    yaml('http: {routers: {a: {rule: x, middlewares: "b, c"}}}').value?.http?.routers?.['a']?.middlewares,
    ['b', 'c'],
  );
  assert.deepEqual(
    yaml('http: {routers: {a: {rule: x, middlewares: [b]}}}').value?.http?.routers?.['a']?.middlewares,
    ['b'],
  );
  const numbered = flags(
    '--http.routers.a.rule=x',
    '--http.routers.a.tls.domains[1].main=m',
    '--http.routers.a.tls.domains[0].main=n',
  );
  assert.deepEqual(
    numbered.value?.http?.routers?.['a']?.tls?.domains?.map(({ main }) => main),
    ['n', 'm'],
  );
});

test('a value that does not fit is shown, shortened, with what was expected', () => {
  const { diagnostics } = yaml(
    `http:\n  routers:\n    a: {rule: x, priority: ${'h'.repeat(200)}, tls: {domains: [{main: [1]}]}}\n`,
  );
  assert.match(diagnostics[0]?.message ?? '', /^`priority` is "h{79}…", expected a whole number$/);
  assert.equal(diagnostics[0]?.where.line, 3);
  assert.equal(diagnostics[1]?.message, '`main` is [1], expected text');
});

test('a missing key is reported at the map that lacks it', () => {
  const { diagnostics } = yaml('http:\n  routers:\n    a: {priority: 1}\n');
  assert.deepEqual(
    diagnostics.map(({ code, where, message }) => ({ code, where, message })),
    [
      {
        code: 'config.missing',
        where: { source: 'f', line: 3, column: 5, path: 'http.routers.a.rule' },
        message: '`rule` is required and missing',
      },
    ],
  );
});

test('the value of a key named like a secret is never shown', () => {
  const { diagnostics } = yaml('http: {routers: {a: {rule: x, password: hunter2}}}');
  assert.equal(diagnostics[0]?.message, '`password` is (hidden), expected a whole number');
  assert.ok(!JSON.stringify(diagnostics).includes('hunter2'));
});

test('names of objects that JavaScript knows are names like others', () => {
  const { value } = yaml('http: {routers: {constructor: {rule: x}, toString: {rule: y}}}');
  assert.deepEqual(Object.keys(value?.http?.routers ?? {}), ['constructor', 'toString']);
});

test('what is said of lists, sections and words that only sound like secrets helps to find them', () => {
  const said = (text: string): string[] =>
    loadDynamic(parseYaml(text, 'f').tree, 'f').diagnostics.map(({ message }) => message);
  const middleware = (options: string): string[] => said(`http: { middlewares: { m: ${options} } }`);
  assert.deepEqual(middleware('{ ipAllowList: { sourceRange: [10.0.0.0/8, lan, "::1", b, c] } }'), [
    '`sourceRange` is ["10.0.0.0/8", "lan", "::1" and 2 more], expected IP addresses and CIDRs such as 10.0.0.0/8',
  ]);
  assert.deepEqual(middleware('{ basicAuth: { realm: x } }'), ['`basicAuth`: expected users or a usersFile']);
  assert.deepEqual(middleware('{ headers: { accessControlAllowCredentials: perhaps } }'), [
    '`accessControlAllowCredentials` is "perhaps", expected true or false',
  ]);
  assert.deepEqual(middleware('{ basicAuth: { users: [ann:secret] } }').join().includes('secret'), false);
});

test('a section is not called wrong for a key that is told already', () => {
  const { diagnostics } = loadDynamic(
    parseYaml('http: { middlewares: { m: { basicAuth: { user: "a:b" } } } }', 'f').tree,
    'f',
  );
  assert.deepEqual(
    diagnostics.map(({ code, hint }) => `${code} ${hint}`),
    ['config.unknown_key did you mean `users`?'],
  );
});

test('the value of a header is not shown, its name and place are', () => {
  const text =
    'http:\n  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n          Authorization: "Bearer x\\u0007y"\n';
  const [found] = loadDynamic(parseYaml(text, 'f').tree, 'f').diagnostics;
  assert.equal(found?.message, '`Authorization`: the value holds a control character');
  assert.equal(found?.where.line, 6);
});

test('a value in the place of its object is told where to go', () => {
  const hints = (service: string): unknown[] =>
    loadDynamic(parseYaml(`http: { services: { s: ${service} } }`, 'f').tree, 'f').diagnostics.map(
      ({ hint }) => hint,
    );
  assert.deepEqual(hints('{ loadBalancer: { servers: ["http://a"] } }'), ['write it under `url`']);
  assert.deepEqual(hints('{ weighted: { services: [a] } }'), ['write it under `name`']);
  assert.match(String(hints('{ loadBalancer: { server: { port: 80 } } }')), /the form of labels/);
});
