// Certificates resolvers: what the primary gets, and what is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadStatic } from '../../../../src/config/static/load.ts';
import { type ResolvedStatic, resolveStatic } from '../../../../src/config/static/resolve.ts';

function resolved(...flags: readonly string[]): ResolvedStatic {
  const argv = ['--entrypoints.web.address=:8080', ...flags];
  const { config, diagnostics } = loadStatic({ argv, env: {}, cwd: '/nonexistent' });
  assert.ok(config, JSON.stringify(diagnostics));
  return resolveStatic(config, 'secret');
}

const acme = (key: string): string => `--certificatesresolvers.le.acme.${key}`;

function errorsOf(...keys: readonly string[]): string[] {
  const { diagnostics, resolvers } = resolved(...keys.map(acme));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) assert.deepEqual(resolvers, [], 'what cannot work is left out');
  return errors.map(({ where, message, hint }) => `${where.path}: ${message}; ${hint}`);
}

test('what is not written is as in Traefik', () => {
  const { resolvers, diagnostics } = resolved(acme('tlschallenge=true'));
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(resolvers, [
    {
      name: 'le',
      email: '',
      caServer: 'https://acme-v02.api.letsencrypt.org/directory',
      storage: 'acme.json',
      keyType: 'RSA4096',
      eab: null,
      preferredChain: null,
      profile: null,
      emailAddresses: [],
      disableCommonName: false,
      clientTimeout: 120_000,
      clientResponseHeaderTimeout: 30_000,
      certificateTimeout: 30_000,
      caCertificates: [],
      caSystemCertPool: false,
      caServerName: null,
      httpChallenge: null,
      tlsChallenge: { delay: 0 },
      dnsChallenge: null,
    },
  ]);
});

test('every key reaches the resolver', () => {
  const keys = [
    'email=a@b.c',
    'caserver=https://ca.example/dir',
    'storage=/data/acme.json',
    'keytype=EC384',
    'eab.kid=kid',
    'eab.hmacencoded=aGVsbG8',
    'preferredchain=Root X',
    'profile=shortlived',
    'emailaddresses=x@y.z',
    'disablecommonname=true',
    'clienttimeout=10s',
    'clientresponseheadertimeout=5s',
    'certificatetimeout=1m',
    'cacertificates=/root.pem',
    'casystemcertpool=true',
    'caservername=ca.internal',
    'httpchallenge.entrypoint=web',
    'httpchallenge.delay=2s',
    'dnschallenge.provider=exec',
    'dnschallenge.resolvers=192.0.2.1:53',
    'dnschallenge.propagation.disablechecks=true',
    'dnschallenge.propagation.delaybeforechecks=3s',
  ];
  const [resolver] = resolved(...keys.map(acme)).resolvers;
  assert.deepEqual(resolver, {
    name: 'le',
    email: 'a@b.c',
    caServer: 'https://ca.example/dir',
    storage: '/data/acme.json',
    keyType: 'EC384',
    eab: { kid: 'kid', hmac: 'aGVsbG8' },
    preferredChain: 'Root X',
    profile: 'shortlived',
    emailAddresses: ['x@y.z'],
    disableCommonName: true,
    clientTimeout: 10_000,
    clientResponseHeaderTimeout: 5_000,
    certificateTimeout: 60_000,
    caCertificates: ['/root.pem'],
    caSystemCertPool: true,
    caServerName: 'ca.internal',
    httpChallenge: { entryPoint: 'web', delay: 2_000 },
    tlsChallenge: null,
    dnsChallenge: {
      provider: 'exec',
      resolvers: ['192.0.2.1:53'],
      disableChecks: true,
      delayBeforeChecks: 3_000,
    },
  });
});

test('the older names of the DNS options work', () => {
  const keys = [
    'dnschallenge.provider=exec',
    'dnschallenge.delaybeforecheck=4',
    'dnschallenge.disablepropagationcheck=true',
  ];
  const [resolver] = resolved(...keys.map(acme)).resolvers;
  assert.deepEqual(resolver?.dnsChallenge, {
    provider: 'exec',
    resolvers: [],
    disableChecks: true,
    delayBeforeChecks: 4_000,
  });
});

test('what cannot work is an error with its place and what to write', () => {
  assert.match(errorsOf('email=a@b.c')[0] ?? '', /le\.acme: .*please select TLS or HTTP or DNS Challenge/);
  assert.match(errorsOf('tlschallenge=true', 'storage=')[0] ?? '', /storage: `storage` is empty/);
  assert.match(errorsOf('httpchallenge=true')[0] ?? '', /has no `entryPoint`; there are: .*web/);
  assert.match(
    errorsOf('httpchallenge.entrypoint=wbe')[0] ?? '',
    /"wbe", expected the name of an entry point; there are: .*web/,
  );
  assert.match(errorsOf('dnschallenge=true')[0] ?? '', /has no `provider`; write `provider: exec`/);
  assert.match(errorsOf('dnschallenge.provider=cloudflare')[0] ?? '', /"cloudflare".*`exec`; .*EXEC_PATH/);
  assert.match(
    errorsOf('tlschallenge=true', 'caserver=not a url')[0] ?? '',
    /expected the URL of an ACME directory/,
  );
  assert.match(
    errorsOf('tlschallenge=true', 'clienttimeout=0')[0] ?? '',
    /clientTimeout: .*expected more than 0/,
  );
  const [kid, hmac] = errorsOf('tlschallenge=true', 'eab.kid=', 'eab.hmacencoded=not base64!');
  assert.match(kid ?? '', /eab\.kid: `eab` has no `kid`/);
  assert.match(hmac ?? '', /hmacEncoded.* is no base64url text/);
  assert.ok(!hmac?.includes('not base64!'), 'the key is not shown');
  assert.match(errorsOf('tlschallenge=true', 'eab.kid=k')[0] ?? '', /hmacEncoded.* is missing/);
});
