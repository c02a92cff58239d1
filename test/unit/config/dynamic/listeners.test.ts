// Which side and engine each entry point gets, and what is said of routers that are thereby out of reach.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryPointSpec } from '../../../../src/model/entry-point.ts';
import type { ListenerSpec } from '../../../../src/model/tls.ts';
import { entryPoint } from '../../../support/specs.ts';
import { lines, type Options, resolveFiles, router } from './support.ts';

const services =
  'services: { s: { loadBalancer: { servers: [{ url: "http://127.0.0.1:1" }] } }, g: { loadBalancer: { servers: [{ url: "h2c://127.0.0.1:1" }] } }, w: { weighted: { services: [{ name: g }] } } }';

function resolved(routers: string, rest = '', options: Options = {}) {
  return resolveFiles(
    { 'a.yml': `http:\n  ${services}\n  routers: ${routers}\n${rest}` },
    { entryPoints: [entryPoint('web', { engine: 'auto' }), secure()], ...options },
  );
}

function secure(
  keys: Partial<Pick<EntryPointSpec, 'engine'>> & { tls?: EntryPointSpec['http']['tls'] } = {},
) {
  return entryPoint('websecure', { port: 443, engine: 'auto', ...keys });
}

function listener(found: ReturnType<typeof resolved>, name: string): ListenerSpec | undefined {
  return found.snapshot.tls.listeners.find(({ entryPoint: one }) => one === name);
}

function how(found: ReturnType<typeof resolved>, name: string): string {
  const { engine, side } = listener(found, name) ?? {};
  return `${engine} ${side}`;
}

const plain = 'p: { rule: "Host(`p.test`)", service: s, entryPoints: [web] }';
const overTls = 't: { rule: "Host(`t.test`)", service: s, entryPoints: [websecure], tls: {} }';

test('routers that name their entry points decide the side', () => {
  const found = resolved(`{ ${plain}, ${overTls} }`);
  assert.deepEqual([how(found, 'web'), how(found, 'websecure')], ['uws cleartext', 'uws tls']);
  assert.deepEqual(found.diagnostics, []);
});

test('a router without entry points decides nothing where others are by name, and is told once each', () => {
  const found = resolved(
    `{ ${plain}, ${overTls}, a: { rule: "Host(\`a.test\`)", service: s, tls: {} }, b: { rule: "Host(\`b.test\`)", service: s } }`,
  );
  assert.deepEqual([how(found, 'web'), how(found, 'websecure')], ['uws cleartext', 'uws tls']);
  assert.deepEqual(lines(found.diagnostics), [
    'info config.side entry point web serves cleartext only: a@file cannot be reached there',
    'info config.side entry point websecure serves TLS only: b@file cannot be reached there',
  ]);
});

test('a router that is reached nowhere is a warning', () => {
  const found = resolved(`{ ${plain}, a: { rule: "Host(\`a.test\`)", service: s, tls: {} } }`, '', {
    entryPoints: [entryPoint('web', { engine: 'auto' })],
  });
  assert.match(lines(found.diagnostics)[0] ?? '', /^warning config\.side .*a@file cannot be reached/);
});

test('where nobody is by name and both sides are wanted the port serves both, on the node engine', () => {
  const found = resolved(
    '{ a: { rule: "Host(`a.test`)", service: s, tls: {} }, b: { rule: "Host(`b.test`)", service: s } }',
  );
  assert.equal(how(found, 'web'), 'node both');
  assert.match(lines(found.diagnostics)[0] ?? '', /info config\.engine .*TLS and cleartext on one port/);
});

test('both sides by name are both; an entry point with tls and no router is on the TLS side', () => {
  const both = resolved(
    `{ x: { rule: "Host(\`x.test\`)", service: s, entryPoints: [websecure] }, ${overTls} }`,
  );
  assert.equal(how(both, 'websecure'), 'node both');
  const empty = resolved('{}', '', {
    entryPoints: [secure({ tls: { options: null, certResolver: null } }), entryPoint('web')],
  });
  assert.deepEqual([how(empty, 'websecure'), how(empty, 'web')], ['uws tls', 'uws cleartext']);
});

test('the node engine, written, always serves both sides', () => {
  const found = resolved(`{ ${plain} }`, '', { entryPoints: [entryPoint('web', { engine: 'node' })] });
  assert.equal(how(found, 'web'), 'node both');
});

test('uws, written, with both sides wanted serves TLS and says what is lost', () => {
  const found = resolved(
    `{ x: { rule: "Host(\`x.test\`)", service: s, entryPoints: [websecure] }, ${overTls} }`,
    '',
    { entryPoints: [secure({ engine: 'uws' })] },
  );
  assert.equal(how(found, 'websecure'), 'uws tls');
  assert.deepEqual(lines(found.diagnostics), [
    'warning config.side entry point websecure serves TLS only: x@file cannot be reached there',
  ]);
});

const needs: readonly [string, RegExp][] = [
  ['minVersion: VersionTLS13', /`minVersion`/],
  ['maxVersion: VersionTLS12', /`maxVersion`/],
  ['curvePreferences: [X25519]', /`curvePreferences`/],
  ['clientAuth: { clientAuthType: RequireAnyClientCert }', /`clientAuth`/],
  ['disableSessionTickets: true', /`disableSessionTickets`/],
];

for (const [option, reason] of [...needs, ['alpnProtocols: [h2, http/1.1]', /`h2`/] as const]) {
  test(`${option} needs the node engine: auto takes it and says why`, () => {
    const found = resolved(`{ ${overTls} }`, `tls: { options: { default: { ${option} } } }`);
    assert.equal(how(found, 'websecure'), 'node tls');
    const [told = ''] = lines(found.diagnostics);
    assert.match(told, /^info config\.engine entry point websecure/);
    assert.match(told, reason);
    assert.equal(how(found, 'web'), 'uws cleartext');
  });
}

for (const [option, reason] of needs) {
  test(`${option} on uws, written, closes exactly the routers that ask for it`, () => {
    const found = resolved(
      `{ ${overTls}, o: { rule: "Host(\`o.test\`)", service: s, entryPoints: [websecure], tls: { options: own } } }`,
      `tls: { options: { own: { ${option} } } }`,
      { entryPoints: [secure({ engine: 'uws' })] },
    );
    assert.equal(how(found, 'websecure'), 'uws tls');
    assert.deepEqual(router(found, 't@file').errors, []);
    assert.match(router(found, 'o@file').errors.join(), reason);
    assert.match(found.diagnostics[0]?.hint ?? '', /engine: node/);
  });
}

test('options that uws can apply for all hosts leave the engine alone', () => {
  const found = resolved(
    `{ ${overTls} }`,
    'tls: { options: { default: { sniStrict: true, cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] } } }',
  );
  assert.equal(how(found, 'websecure'), 'uws tls');
  assert.deepEqual(found.diagnostics, []);
});

test('a resolver with tlsChallenge needs the node engine on the entry points of its routers', () => {
  const routers = `{ t: { rule: "Host(\`t.test\`)", service: s, entryPoints: [websecure], tls: { certResolver: le } } }`;
  const found = resolved(routers, '', { resolvers: [{ name: 'le', tlsChallenge: { delay: 0 } }] });
  assert.equal(how(found, 'websecure'), 'node tls');
  const other = resolved(routers, '', { resolvers: [{ name: 'le', tlsChallenge: null }] });
  assert.equal(how(other, 'websecure'), 'uws tls');
});

test('options by host: only those that differ, without negated hosts, wildcards as written', () => {
  const found = resolved(
    '{ a: { rule: "Host(`A.test`) || Host(`*.b.test`) && !Host(`not.b.test`)", service: s, entryPoints: [websecure], tls: { options: own } }, c: { rule: "Host(`c.test`)", service: s, entryPoints: [websecure], tls: { options: same } } }',
    'tls: { options: { own: { minVersion: VersionTLS13 }, same: { minVersion: VersionTLS12 } } }',
  );
  assert.deepEqual(listener(found, 'websecure')?.hosts, [
    { host: '*.b.test', options: 'own@file' },
    { host: 'a.test', options: 'own@file' },
  ]);
});

test('one host with different options gets the default ones, with a warning for both routers', () => {
  const found = resolved(
    '{ a: { rule: "Host(`x.test`)", service: s, entryPoints: [websecure], tls: { options: own } }, b: { rule: "Host(`x.test`) && Path(`/`)", service: s, entryPoints: [websecure], tls: { options: other } } }',
    'tls: { options: { own: { minVersion: VersionTLS13 }, other: { maxVersion: VersionTLS12 } } }',
  );
  assert.deepEqual(listener(found, 'websecure')?.hosts, []);
  for (const name of ['a@file', 'b@file']) {
    assert.match(router(found, name).warnings.join(), /cannot be applied: router/);
    assert.deepEqual(router(found, name).errors, []);
  }
});

for (const [what, routers] of [
  [
    'another router of the host asks for others',
    'a: { rule: "Host(`x.test`)", service: s, entryPoints: [websecure], tls: { options: mtls } }, b: { rule: "Host(`x.test`) && Path(`/`)", service: s, entryPoints: [websecure], tls: {} }',
  ],
  [
    'the rule names no host',
    'a: { rule: "PathPrefix(`/`)", service: s, entryPoints: [websecure], tls: { options: mtls } }',
  ],
  [
    'the rule matches other hosts, too',
    'a: { rule: "Host(`x.test`) || Path(`/`)", service: s, entryPoints: [websecure], tls: { options: mtls } }',
  ],
] as const) {
  test(`a router whose options demand a client's certificate is closed where ${what}`, () => {
    const found = resolved(
      `{ ${routers} }`,
      'tls: { options: { mtls: { clientAuth: { clientAuthType: RequireAnyClientCert } } } }',
    );
    assert.match(router(found, 'a@file').errors.join(), /cannot be applied/);
  });
}

test('a TLS router on uws that leads to h2c servers is warned of', () => {
  const found = resolved('{ a: { rule: "Host(`x.test`)", service: w, entryPoints: [websecure], tls: {} } }');
  assert.match(router(found, 'a@file').warnings.join(), /gRPC/);
});
