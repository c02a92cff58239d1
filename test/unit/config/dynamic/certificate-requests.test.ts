// Which certificates are ordered for which routers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalNames } from '../../../../src/config/dynamic/certificate-requests.ts';
import { entryPoint } from '../../../support/specs.ts';
import { lines, resolveFiles } from './support.ts';

const app = 'services: {s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}}';
const resolvers = [{ name: 'le', tlsChallenge: null }];

function resolved(routers: string, tls: { certResolver: string; domains?: [] } | null = null) {
  const places = [
    entryPoint('web', { engine: 'auto', tls: tls === null ? null : { options: null, ...tls } }),
    entryPoint('other', { engine: 'auto', port: 81 }),
  ];
  return resolveFiles(
    { 'a.yml': `http:\n  ${app}\n  routers:\n${routers}` },
    { entryPoints: places, resolvers },
  );
}

function router(name: string, rule: string, tls = '{certResolver: le}', more = ''): string {
  return `    ${name}: {rule: "${rule}", service: s, entryPoints: [web], tls: ${tls}${more}}\n`;
}

test('the hosts of a rule are one certificate, the first its main name; negated ones are left out', () => {
  const { certificateRequests } = resolved(
    router('r', 'Host(`B.test`) || (Host(`a.test.`) && !Host(`no.test`)) || !(!Host(`c.test`))'),
  );
  assert.deepEqual(certificateRequests, [
    { resolver: 'le', names: ['b.test', 'a.test', 'c.test'], by: ['r@file'] },
  ]);
});

test('routers that want the same names share one certificate', () => {
  const { certificateRequests } = resolved(
    router('r1', 'Host(`a.test`) || Host(`b.test`)') +
      router('r2', '(Host(`b.test`) || Host(`a.test`)) && Path(`/`)'),
  );
  assert.deepEqual(certificateRequests, [
    { resolver: 'le', names: ['a.test', 'b.test'], by: ['r1@file', 'r2@file'] },
  ]);
});

test('domains are one certificate each, without what a listed wildcard covers', () => {
  const tls =
    '{certResolver: le, domains: [{main: "*.a.test", sans: [a.test, x.a.test]}, {main: y.a.test, sans: [z.test, deep.y.a.test]}, {main: w.a.test}]}';
  const { certificateRequests } = resolved(router('r', 'Host(`ignored.test`)', tls));
  assert.deepEqual(
    certificateRequests.map(({ names }) => names),
    [
      ['*.a.test', 'a.test'],
      ['z.test', 'deep.y.a.test'],
    ],
  );
});

test('the resolver of an entry point is that of its routers without tls', () => {
  const { certificateRequests } = resolved(
    '    r: {rule: "Host(`a.test`)", service: s}\n    own: {rule: "Host(`b.test`)", service: s, tls: {}}\n',
    { certResolver: 'le' },
  );
  assert.deepEqual(certificateRequests, [{ resolver: 'le', names: ['a.test'], by: ['web-r@file'] }]);
});

test('a rule without a host orders nothing and says how to name one', () => {
  const { certificateRequests, diagnostics } = resolved(router('r', 'HostRegexp(`^.+$`)'));
  assert.deepEqual(certificateRequests, []);
  assert.match(lines(diagnostics).join(), /info config\.no_names router r@file/);
  assert.match(diagnostics[0]?.hint ?? '', /tls\.domains/);
});

test('a router with errors orders nothing', () => {
  const broken = router('r', 'Host(`a.test`)', '{certResolver: le}', ', middlewares: [gone]');
  assert.deepEqual(resolved(broken).certificateRequests, []);
});

test('names are brought into one form', () => {
  assert.deepEqual(
    normalNames(['A.Test.', 'a.test', '*.B.test', 'bücher.test', '*.*', '*', '', 'x y', '10.0.0.1']),
    ['a.test', '*.b.test', 'xn--bcher-kva.test', '10.0.0.1'],
  );
});
