// Labels → Tree: case, sections, lists, indices, bounds, and the labels nobody reads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plain } from '../../../../src/config/decode/values.ts';
import { labelsToTree } from '../../../../src/config/sources/labels.ts';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { canonicalJson } from '../../../../src/config/dynamic/hash.ts';

type Labels = Record<string, string>;

function read(labels: Labels) {
  return labelsToTree(labels, 'shop');
}

function value(labels: Labels): unknown {
  const { tree } = read(labels);
  return tree === null ? null : JSON.parse(JSON.stringify(plain(tree)));
}

function told(labels: Labels): string[] {
  return read(labels).diagnostics.map(
    ({ severity, code, message, hint, where }) =>
      `${severity} ${code} ${where.path ?? ''}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );
}

test('dots are levels and every value knows its label', () => {
  const { tree } = read({ 'traefik.http.routers.x.rule': 'Host(`a`)' });
  assert.deepEqual(value({ 'traefik.http.routers.x.rule': 'Host(`a`)' }), {
    http: { routers: { x: { rule: 'Host(`a`)' } } },
  });
  const http = tree?.kind === 'map' ? tree.entries.get('http') : undefined;
  assert.deepEqual(http?.key, { source: 'shop', path: 'traefik.http.routers.x.rule' });
});

test('names that differ in case are one, spelt as the first label in sorted order spells it', () => {
  const labels = {
    'traefik.http.routers.shop.service': 's',
    'traefik.HTTP.Routers.Shop.rule': 'Host(`a`)',
  };
  assert.deepEqual(value(labels), { HTTP: { Routers: { Shop: { rule: 'Host(`a`)', service: 's' } } } });
});

test('of two labels that differ in case alone the last in sorted order holds, and both are named', () => {
  const labels = { 'traefik.http.routers.a.rule': 'low', 'traefik.http.routers.A.rule': 'up' };
  assert.deepEqual(value(labels), { http: { routers: { A: { rule: 'low' } } } });
  assert.match(
    told(labels).join('\n'),
    /config.repeated_label traefik.http.routers.a.rule: .*routers\.A\.rule/,
  );
});

test('the root in another case rejects the container', () => {
  const { tree, diagnostics } = read({
    'Traefik.http.routers.x.rule': 'a',
    'traefik.http.routers.y.rule': 'b',
  });
  assert.equal(tree, null);
  assert.equal(diagnostics[0]?.code, 'config.label');
  assert.match(diagnostics[0]?.hint ?? '', /traefik\.http\.routers\.x\.rule/);
});

test('empty levels, odd brackets and high indices reject the container', () => {
  for (const label of [
    'traefik.http..routers.x.rule',
    'traefik.http.routers.x.',
    'traefik.http.routers.x.[0]',
    'traefik.http.routers.x.middlewares[a]',
    'traefik.http.routers.x.middlewares[1000]',
    'traefik.http.services.x.loadbalancer.servers[999999999].url',
    `traefik.http.routers.x.${'a.'.repeat(40)}b`,
  ]) {
    const { tree, diagnostics } = read({ [label]: 'v' });
    assert.equal(tree, null, label);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code),
      ['config.label'],
      label,
    );
  }
});

test('lists of structs take an index, sorted as text', () => {
  const labels = {
    'traefik.http.routers.x.tls.domains[10].main': 'ten',
    'traefik.http.routers.x.tls.domains[2].main': 'two',
    'traefik.http.routers.x.tls.domains[2].sans': 'a, b',
  };
  assert.deepEqual(value(labels), {
    http: { routers: { x: { tls: { domains: [{ main: 'ten' }, { main: 'two', sans: 'a, b' }] } } } },
  });
});

test('a list of texts by index is taken with a warning', () => {
  const labels = {
    'traefik.http.routers.x.middlewares[0]': 'auth',
    'traefik.http.routers.x.rule': 'Path(`/`)',
  };
  const { tree } = read(labels);
  assert.deepEqual(loadDynamic(tree, 'shop').config.routers.get('x')?.value.middlewares, ['auth']);
  assert.match(told(labels).join(), /config.label_index .*write `traefik.http.routers.x.middlewares=a,b`/);
});

test('texts are split at commas and trimmed, without unquoting', () => {
  const labels = {
    'traefik.http.routers.x.rule': 'Path(`/`)',
    'traefik.http.routers.x.middlewares': ' a , b@file',
  };
  assert.deepEqual(loadDynamic(read(labels).tree, 'shop').config.routers.get('x')?.value.middlewares, [
    'a',
    'b@file',
  ]);
});

test('tls=true, a child or both switch tls on; tls=false switches it off even with children', () => {
  const tls = (labels: Labels) =>
    loadDynamic(
      read({ 'traefik.http.routers.x.rule': 'Path(`/`)', ...labels }).tree,
      'shop',
    ).config.routers.get('x')?.value.tls;
  assert.deepEqual(tls({ 'traefik.http.routers.x.tls': 'true' }), {});
  assert.deepEqual(tls({ 'traefik.http.routers.x.tls.certresolver': 'r' }), { certResolver: 'r' });
  assert.deepEqual(
    tls({ 'traefik.http.routers.x.tls': 'true', 'traefik.http.routers.x.tls.certresolver': 'r' }),
    { certResolver: 'r' },
  );
  assert.equal(
    tls({ 'traefik.http.routers.x.tls': 'false', 'traefik.http.routers.x.tls.certresolver': 'r' }),
    undefined,
  );
  assert.equal(tls({}), undefined);
});

test('the provider labels are split off', () => {
  const { provider, tree } = read({
    'traefik.enable': 'TRUE',
    'traefik.docker.network': 'front',
    'traefik.Docker.allowNonRunning': '1',
  });
  assert.deepEqual(provider, { enable: true, network: 'front', allowNonRunning: true, sound: true });
  assert.equal(tree, null);
  assert.deepEqual(read({}).provider, { enable: null, network: null, allowNonRunning: false, sound: true });
});

test('provider labels nobody knows, or that are no switch, leave the container out', () => {
  for (const [label, text, expected] of [
    ['traefik.enabled', 'true', /did you mean `traefik.enable`/],
    ['traefik.enable', 'yes', /expected true or false/],
    ['traefik.enable', '', /expected true or false/],
    ['traefik.docker.netwrok', 'a', /did you mean `traefik.docker.network`/],
    ['traefik.docker.foo', 'a', /there are traefik.enable/],
  ] as const) {
    assert.equal(read({ [label]: text }).provider.sound, false, label);
    assert.match(told({ [label]: text }).join(), expected);
  }
});

test('Swarm labels are refused by name and leave the rest alone', () => {
  const labels = {
    'traefik.docker.lbswarm': 'true',
    'traefik.swarm.network': 'n',
    'traefik.http.routers.x.rule': 'r',
  };
  const { provider, tree } = read(labels);
  assert.equal(provider.sound, true);
  assert.notEqual(tree, null);
  assert.deepEqual(
    told(labels).map((line) => line.split(':', 1)[0]),
    ['error config.unsupported traefik.swarm.network', 'error config.unsupported traefik.docker.lbswarm'],
  );
});

test('labels nobody reads are told, with what to write instead', () => {
  for (const [label, expected] of [
    ['traefik.frontend.rule', /version 1.*traefik\.http\.routers\.<name>\.rule/],
    ['traefik.frontend.auth.basic.users', /basicauth/],
    ['traefik.port', /loadbalancer\.server\.port/],
    ['traefik.admin.port', /loadbalancer\.server\.port/],
    ['traefik.backend', /routers\.<name>\.service/],
    ['traefik.backend.loadbalancer.stickiness', /sticky\.cookie/],
    ['traefik.passHostHeader', /passhostheader/],
    ['traefik.entryPoints.web', /static configuration/],
    ['traefik.routers.x.rule', /write traefik\.http\.routers\.x\.rule/],
    ['traefik.htpp.routers.x.rule', /did you mean `traefik\.http`/],
    ['traefik.network', /traefik\.docker\.network/],
    ['traefik.tls.options.x.minversion', /file provider/],
    ['treafik.enable', /did you mean `traefik`/],
    ['traefk.http.routers.x.rule', /did you mean `traefik`/],
  ] as const) {
    const [line = ''] = told({ [label]: 'secret-value' });
    assert.match(line, /^warning config\.ignored_label/, label);
    assert.match(line, expected, label);
    assert.doesNotMatch(line, /secret-value/);
  }
  assert.deepEqual(
    told({ 'traefik.constraint-label': 'public' }).map((line) => line.split(' ', 1)[0]),
    ['info'],
  );
  assert.deepEqual(told({ 'com.docker.compose.project': 'p', 'traffic.light': 'red' }), []);
});

test('quotes that became part of a value, and variables left in a name, are told', () => {
  assert.match(told({ 'traefik.http.routers.x.rule': '"Host(`a`)"' }).join(), /label_quotes.*double quotes/);
  assert.match(told({ 'traefik.http.routers.x.rule': "'Host(`a`)'" }).join(), /label_quotes.*single quotes/);
  assert.match(told({ 'traefik.http.routers.${NAME}.rule': 'r' }).join(), /label_variable/);
});

test('the number of labels and their lengths are bounded, and beyond nothing of the container is used', () => {
  const many = Object.fromEntries(
    Array.from({ length: 3000 }, (_, n) => [`traefik.http.routers.r${n}.rule`, 'x']),
  );
  assert.equal(read(many).tree, null);
  assert.match(told(many).join(), /more than 2000 labels/);
  for (const labels of [
    { [`traefik.http.routers.${'x'.repeat(2000)}.rule`]: 'r' },
    { 'traefik.http.routers.x.rule': 'r'.repeat(70_000) },
  ]) {
    const all = { ...labels, 'traefik.http.routers.y.rule': 'r' };
    assert.equal(read(all).tree, null);
    assert.ok(told(all).join().length < 3000);
  }
});

test('names of prototypes are names like any other', () => {
  const { config } = loadDynamic(read({ 'traefik.http.routers.constructor.rule': 'Path(`/`)' }).tree, 'shop');
  assert.equal(config.routers.get('constructor')?.value.rule, 'Path(`/`)');
  assert.doesNotThrow(() => read({ 'traefik.__proto__.x': 'a', 'traefik.http.__proto__.x': 'b' }));
});

test('the order of labels has no effect', () => {
  const part = fc.constantFrom('a', 'A', 'b', 'tls', 'rule', 'domains[0]', 'domains[1]', 'main');
  const label = fc
    .array(part, { minLength: 1, maxLength: 4 })
    .map((parts) => `traefik.http.routers.${parts.join('.')}`);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(label, fc.string({ maxLength: 4 })), {
        selector: ([name]) => name,
        maxLength: 12,
      }),
      fc.infiniteStream(fc.nat()),
      (pairs, random) => {
        const shuffled = pairs
          .map((pair) => ({ pair, at: random.next().value }))
          .sort((x, y) => x.at - y.at)
          .map(({ pair }) => pair);
        const [one, other] = [read(Object.fromEntries(pairs)), read(Object.fromEntries(shuffled))];
        assert.equal(
          canonicalJson(one.tree === null ? null : plain(one.tree)),
          canonicalJson(other.tree === null ? null : plain(other.tree)),
        );
        assert.deepEqual(one.diagnostics, other.diagnostics);
      },
    ),
  );
});

test('no label makes it throw', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ maxLength: 20 }).map((tail) => `traefik.${tail}`),
        fc.string(),
      ),
      (labels) => {
        const { tree } = read(labels);
        loadDynamic(tree, 'shop');
      },
    ),
  );
});
