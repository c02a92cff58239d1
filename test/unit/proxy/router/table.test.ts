// The router table gives the answer of asking every rule in turn, whatever it skips.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildTable, type Routable } from '../../../../src/proxy/router/table.ts';
import { compileRule, type RuleSubject } from '../../../../src/rules/compile.ts';
import { defaultPriority } from '../../../../src/rules/priority.ts';

function router(name: string, text: string, priority?: bigint): Routable {
  const result = compileRule(text, 'v3');
  assert.ok(result.ok, text);
  return { name, priority: priority ?? defaultPriority(text), rule: result.rule };
}

function subject(host: string, routePath: string): RuleSubject {
  return { host, routePath, method: 'GET', headers: [], search: '', peer: '10.0.0.1' };
}

function slowLookup(routers: readonly Routable[], asked: RuleSubject): string | null {
  const sorted = [...routers].sort((a, b) =>
    a.priority === b.priority ? (a.name < b.name ? -1 : 1) : a.priority > b.priority ? -1 : 1,
  );
  return sorted.find((one) => one.rule.match(asked))?.name ?? null;
}

test('the longer rule wins, whatever it means', () => {
  const table = buildTable([
    router('short', 'Host(`a.b`) && PathPrefix(`/x`)'),
    router('long', 'HostRegexp(`^a[.]b$`) || Host(`a-very-long-host.example.com`)'),
  ]);
  assert.equal(table.lookup(subject('a.b', '/x'))?.name, 'long');
});

test('equal priorities are decided by name', () => {
  const table = buildTable([router('b', 'Host(`x`)'), router('a', 'Path(`/`)', 9n)]);
  assert.equal(table.lookup(subject('x', '/'))?.name, 'a');
  const reversed = buildTable([router('a', 'Path(`/`)', 9n), router('b', 'Host(`x`)')]);
  assert.equal(reversed.lookup(subject('x', '/'))?.name, 'a');
});

test('priorities beyond the safe integers keep their order', () => {
  const table = buildTable([
    router('low', 'Host(`x`)', 9223372036854774806n),
    router('high', 'Host(`x`)', 9223372036854774807n),
  ]);
  assert.equal(table.lookup(subject('x', '/'))?.name, 'high');
});

test('a router for any host is tried between those of the host', () => {
  const table = buildTable([
    router('first', 'Host(`x`) && Path(`/a`)', 30n),
    router('any', 'PathPrefix(`/`)', 20n),
    router('last', 'Host(`x`)', 10n),
  ]);
  assert.equal(table.lookup(subject('x', '/a'))?.name, 'first');
  assert.equal(table.lookup(subject('x', '/b'))?.name, 'any');
  assert.deepEqual(
    table.candidates('x').map((one) => one.name),
    ['first', 'any', 'last'],
  );
  assert.deepEqual(
    table.candidates('y').map((one) => one.name),
    ['any'],
  );
  assert.equal(table.size, 3);
});

test('a router with an exact and a wildcard host is a candidate once', () => {
  const table = buildTable([router('both', 'Host(`a.x.y`) || Host(`*.x.y`)'), router('any', 'Path(`/q`)')]);
  assert.deepEqual(
    table.candidates('a.x.y').map((one) => one.name),
    ['both', 'any'],
  );
  assert.equal(table.lookup(subject('b.x.y', '/'))?.name, 'both');
  assert.equal(table.lookup(subject('c.b.x.y', '/')), null);
});

test('a negated host restricts nothing', () => {
  const table = buildTable([router('not', '!Host(`x`)'), router('twice', '!(!Host(`x`) || Path(`/no`))')]);
  assert.equal(table.lookup(subject('y', '/'))?.name, 'not');
  assert.equal(table.lookup(subject('x', '/'))?.name, 'twice');
  assert.equal(table.lookup(subject('x', '/no')), null);
  assert.equal(table.lookup(subject('', '/'))?.name, 'not');
});

test('an empty table answers nothing', () => {
  assert.equal(buildTable([]).lookup(subject('x', '/')), null);
});

test('nested prefixes in great number are all found', () => {
  const routers = Array.from({ length: 300 }, (_, i) => router(`r${i}`, `PathPrefix(\`/${'a'.repeat(i)}\`)`));
  const table = buildTable(routers);
  assert.equal(table.lookup(subject('x', `/${'a'.repeat(120)}b`))?.name, 'r120');
  assert.equal(table.lookup(subject('x', `/${'a'.repeat(900)}`))?.name, 'r299');
});

const hosts = ['a.x', 'b.x', 'x', 'a.b.x', ''];
const paths = ['/', '/a', '/a/', '/a/b', '/ab', '/b', '/b/c/d', '/%2F'];
const matcher = fc.oneof(
  fc.constantFrom('a.x', 'b.x', 'x', '*.x', '*.b.x', '*', 'A.X.').map((host) => `Host(\`${host}\`)`),
  fc.constantFrom('^a', 'x$', '^$').map((pattern) => `HostRegexp(\`${pattern}\`)`),
  fc.constantFrom(...paths).map((path) => `Path(\`${path}\`)`),
  fc.constantFrom(...paths).map((path) => `PathPrefix(\`${path}\`)`),
  fc.constantFrom('GET', 'POST').map((method) => `Method(\`${method}\`)`),
);
const rule = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    matcher,
    tie('node').map((inner) => `!(${inner})`),
    fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(' && ')})`),
    fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(' || ')})`),
  ),
})).node;

test('the table agrees with asking every rule in order', () => {
  const spec = fc.record({ text: rule, priority: fc.constantFrom(1n, 2n, 3n, null) });
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 60 }), (specs) => {
      const routers = specs.map((one, i) => router(`r${i}`, one.text, one.priority ?? undefined));
      const table = buildTable(routers);
      for (const host of hosts) {
        for (const path of paths) {
          const asked = subject(host, path);
          assert.equal(table.lookup(asked)?.name ?? null, slowLookup(routers, asked));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('the path index agrees with asking every rule in order', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', '/', '/', '%2F', 'é'), { maxLength: 5 })
    .map((parts) => `/${parts.join('')}`);
  const text = fc
    .tuple(
      fc.constantFrom('', 'Host(`x`) && ', 'Host(`*.x`) && '),
      fc.constantFrom('Path', 'PathPrefix'),
      path,
    )
    .map(([host, name, value]) => `${host}${name}(\`${value}\`)`);
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 12, maxLength: 80 }),
      fc.array(path, { minLength: 5 }),
      (rules, asked) => {
        const routers = rules.map((rule, i) => router(`r${i}`, rule));
        const table = buildTable(routers);
        for (const host of ['x', 'a.x', 'y']) {
          for (const one of asked) {
            assert.equal(
              table.lookup(subject(host, one))?.name ?? null,
              slowLookup(routers, subject(host, one)),
            );
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});
