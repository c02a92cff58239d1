// `tls` of a file: certificates, the default store, options, and what routers ask of them by name.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseYaml } from '../../../../src/config/sources/yaml.ts';
import { loadDynamic } from '../../../../src/config/dynamic/load.ts';
import { defaultTlsOptions } from '../../../../src/model/tls.ts';
import { makeAuthority } from '../../../support/pki.ts';
import { entryPoint } from '../../../support/specs.ts';
import { lines, resolveFiles, resolveSources, router } from './support.ts';

const authority = makeAuthority();
after(() => authority.close());
const a = authority.issue(['a.test', 'b.test']);
const b = authority.issue(['c.test']);

function block(text: string, indent: number): string {
  return `|\n${text.trimEnd().replaceAll(/^/gm, ' '.repeat(indent))}`;
}

function certificate({ cert, key }: { cert: string; key: string }): string {
  return `    - certFile: ${block(cert, 8)}\n      keyFile: ${block(key, 8)}\n`;
}

function part(provider: string, text: string) {
  return {
    provider,
    parts: [loadDynamic(parseYaml(text, `${provider}.yml`).tree, `${provider}.yml`).config],
  };
}

test('certificates are read one by one: a broken one is an error at its own line, the others are served', () => {
  const wrong = { cert: a.cert, key: b.key };
  const text = `tls:\n  certificates:\n${certificate(wrong)}${certificate(b)}${certificate(a)}`;
  const { snapshot, diagnostics, loaded } = resolveFiles({ 'a.yml': text });
  assert.deepEqual(loaded, []);
  assert.deepEqual(snapshot.tls.certificates.map(({ names }) => names.join()).sort(), [
    'a.test,b.test',
    'c.test',
  ]);
  assert.deepEqual(lines(diagnostics), [
    'error config.certificate the key is not the one of the certificate',
  ]);
  assert.equal(diagnostics[0]?.where.line, 3);
  assert.doesNotMatch(JSON.stringify(diagnostics), /BEGIN|MI[A-Z]/);
});

test('the same certificate in two files is one, and equal content has an equal hash in any order', () => {
  const first = `tls:\n  certificates:\n${certificate(a)}${certificate(b)}`;
  const second = `tls:\n  certificates:\n${certificate(b)}${certificate(a)}`;
  const one = resolveFiles({ 'a.yml': first, 'b.yml': second });
  assert.equal(one.snapshot.tls.certificates.length, 2);
  assert.equal(one.snapshot.hash, resolveFiles({ 'a.yml': second }).snapshot.hash);
});

test('keys, stores and lists that are wrong are told at their places', () => {
  const { loaded } = resolveFiles({
    'a.yml':
      'tls:\n  certificates:\n    - {certFile: x, keyfile: y, bogus: 1}\n    - {certFile: z}\n  stores:\n    other: {}\n    default: {defaultGeneratedCert: {resolver: le}}',
  });
  assert.deepEqual(
    loaded.map(({ code, where }) => `${code} ${where.line}`),
    ['config.unknown_key 3', 'config.missing 4', 'config.unsupported 6', 'config.missing 7'],
  );
  assert.match(
    lines(resolveFiles({ 'a.yml': 'tls: {certificates: {a: 1}}' }).loaded).join(),
    /a list of certFile/,
  );
});

test('the default store: its certificate, and one that is to be ordered', () => {
  const own = resolveFiles({
    'a.yml': `tls:\n  stores:\n    default:\n      defaultCertificate:\n        certFile: ${block(a.cert, 10)}\n        keyFile: ${block(a.key, 10)}`,
  });
  assert.deepEqual(own.snapshot.tls.defaultCertificate?.names, ['a.test', 'b.test']);
  const generated = resolveFiles({
    'a.yml':
      'tls: {stores: {default: {defaultGeneratedCert: {resolver: le, domain: {main: A.test, sans: [b.test]}}}}}',
  });
  assert.deepEqual(generated.certificateRequests, [
    { resolver: 'le', names: ['a.test', 'b.test'], by: ['stores.default'] },
  ]);
  assert.deepEqual(generated.snapshot.tls.defaultNames, ['a.test', 'b.test']);
});

test('two providers that define the default store or the default options: nobody knows which is meant', () => {
  const store = 'tls: {stores: {default: {defaultGeneratedCert: {resolver: le, domain: {main: a.test}}}}}';
  const stores = resolveSources([part('file', store), part('docker', store)]);
  assert.deepEqual(stores.certificateRequests, []);
  assert.match(lines(stores.diagnostics).join(), /error config\.conflict .*providers docker and file/);

  const routers =
    'http: {services: {s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}, routers: {r: {rule: "Host(`x.test`)", service: s, tls: {}}}}\n';
  const options = 'tls: {options: {default: {sniStrict: true}}}';
  const both = resolveSources([part('file', routers + options), part('docker', options)]);
  assert.match(router(both, 'r@file').errors.join(), /default are broken/);
  assert.equal(both.snapshot.tls.options.find(({ name }) => name === 'default')?.errors.length, 1);
});

function optionsOf(text: string) {
  const found = resolveFiles({ 'a.yml': `tls: {options: {o: ${text}}}` });
  return {
    spec: found.snapshot.tls.options.find(({ name }) => name === 'o@file'),
    loaded: lines(found.loaded),
  };
}

test('options are read in the words of Go', () => {
  const { spec, loaded } = optionsOf(
    '{minVersion: VersionTLS12, maxVersion: VersionTLS13, cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curvePreferences: [CurveP256, X25519, secp384r1], sniStrict: true, alpnProtocols: [http/1.1, acme-tls/1], disableSessionTickets: true, clientAuth: {clientAuthType: VerifyClientCertIfGiven, caFiles: ["-----BEGIN x"]}}',
  );
  assert.deepEqual(loaded, []);
  assert.deepEqual(spec, {
    ...defaultTlsOptions,
    name: 'o@file',
    cipherSuites: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
    ],
    curvePreferences: ['P-256', 'X25519', 'P-384'],
    sniStrict: true,
    alpnProtocols: ['http/1.1'],
    sessionTickets: false,
    clientAuth: { type: 'VerifyClientCertIfGiven', cas: ['-----BEGIN x'] },
  });
});

test('suites that Go knows and nobody speaks any more are left out of those that stay, with a warning', () => {
  const rest = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
  const guide = optionsOf('{cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_FALLBACK_SCSV]}');
  assert.deepEqual(guide.spec?.cipherSuites, [...rest, 'ECDHE-RSA-AES128-GCM-SHA256']);
  assert.deepEqual(guide.loaded, []);
  const old = optionsOf('{cipherSuites: "TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA"}');
  assert.deepEqual(old.spec?.cipherSuites, [...rest, 'AES128-SHA']);
  assert.deepEqual(old.spec?.errors, []);
  assert.deepEqual(old.loaded, [
    'warning config.no_effect `cipherSuites`: TLS_RSA_WITH_3DES_EDE_CBC_SHA is not spoken any more and is left out',
  ]);
});

test('what a transport asks of servers is left out with the same warning', () => {
  const text = `http:
  serversTransports: {t: {cipherSuites: [TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA]}}
`;
  const { config, diagnostics } = loadDynamic(parseYaml(text, 'a.yml').tree, 'a.yml');
  assert.equal(config.transports.get('t')?.value.cipherSuites?.includes('AES128-SHA'), true);
  assert.deepEqual(
    diagnostics.map(({ severity, message, where }) => `${severity} ${where.line} ${message}`),
    ['warning 2 `cipherSuites`: TLS_RSA_WITH_3DES_EDE_CBC_SHA is not spoken any more and is left out'],
  );
});

test('authorities without a type are verified against; empty options are the default ones', () => {
  assert.equal(
    optionsOf('{clientAuth: {caFiles: [x]}}').spec?.clientAuth?.type,
    'RequireAndVerifyClientCert',
  );
  assert.deepEqual(optionsOf('{cipherSuites: [], alpnProtocols: [], curvePreferences: []}').spec, {
    ...defaultTlsOptions,
    name: 'o@file',
  });
});

for (const [text, message] of [
  ['{minVersion: "1.2"}', /VersionTLS12/],
  ['{cipherSuites: [TLS_RSA_WITH_RC4_128_SHA]}', /RC4/],
  ['{cipherSuites: [TLS_FALLBACK_SCSV]}', /FALLBACK_SCSV/],
  ['{cipherSuites: [TLS_FALLBACK_SCSVX, TLS_AES_128_GCM_SHA256]}', /SCSVX/],
  ['{curvePreferences: [P256]}', /CurveP256/],
  ['{alpnProtocols: [http/1.1, spdy]}', /spdy/],
  ['{alpnProtocols: [acme-tls/1]}', /acme-tls\/1 alone/],
  ['{clientAuth: {clientAuthType: Require}}', /RequireAndVerifyClientCert/],
  ['{clientAuth: {clientAuthType: RequireAndVerifyClientCert}}', /needs `caFiles`/],
  ['{maxVersion: VersionTLS11}', /below TLS 1\.2/],
  ['{minVersion: VersionTLS13, maxVersion: VersionTLS12}', /above `maxVersion`/],
  ['{sniStrikt: true}', /sniStrikt/],
] as const) {
  test(`options ${text} are kept with their error`, () => {
    const { spec, loaded } = optionsOf(text);
    assert.match(loaded.join(), message);
    assert.match(loaded.join(), /^error/);
    assert.equal(spec?.errors.length, 1);
  });
}

test('TLS 1.0 and 1.1 as the lowest version are not spoken, and that is said', () => {
  const { spec, loaded } = optionsOf('{minVersion: VersionTLS10}');
  assert.equal(spec?.minVersion, 'TLSv1.2');
  assert.match(loaded.join(), /^warning config\.no_effect .*refused all the same/);
});

const app = 'services: {s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}';

function withRouter(tls: string, rest = '', resolvers: readonly string[] = []) {
  return resolveFiles(
    {
      'a.yml': `http:\n  ${app}\n  routers: {r: {rule: "Host(\`x.test\`)", service: s, entryPoints: [web], tls: ${tls}}}\n${rest}`,
    },
    {
      entryPoints: [entryPoint('web', { engine: 'auto' })],
      resolvers: resolvers.map((name) => ({ name, tlsChallenge: null })),
    },
  );
}

test('a router that names options which do not exist is closed, and so are handshakes for its hosts', () => {
  const found = withRouter('{options: o@docker}', 'tls: {options: {o: {sniStrict: true}}}');
  assert.deepEqual(router(found, 'r@file').errors, ["TLS options o@docker don't exist"]);
  const told = found.diagnostics.find(({ code }) => code === 'config.unknown_tls_options');
  assert.deepEqual([told?.hint, told?.where.line], ['write o@file', 3]);
  const { options, listeners } = found.snapshot.tls;
  assert.equal(options.find(({ name }) => name === 'o@docker')?.errors.length, 1);
  assert.deepEqual(listeners[0]?.hosts, [{ host: 'x.test', options: 'o@docker' }]);
});

test('broken options close the routers that name them', () => {
  const found = withRouter('{options: o}', 'tls: {options: {o: {cipherSuites: [NO]}}}');
  assert.match(router(found, 'r@file').errors.join(), /TLS options o@file are broken: `cipherSuites`/);
});

test('a router whose resolver does not exist is served, with a warning, and orders nothing', () => {
  const found = withRouter('{certResolver: letsencrypt}', '', ['le']);
  assert.deepEqual(router(found, 'r@file').errors, []);
  assert.match(router(found, 'r@file').warnings.join(), /letsencrypt doesn't exist/);
  assert.deepEqual(found.certificateRequests, []);
});
