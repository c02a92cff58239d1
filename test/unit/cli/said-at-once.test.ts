// Everything that is wrong is said in one round, at the place where it is wrong, and nothing that only follows from it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { call, folder } from './support.ts';

async function told(context: TestContext, files: Readonly<Record<string, string>>, argv: readonly string[]) {
  const { out } = await call(folder(context, files), ['check', ...argv, '--format', 'json']);
  return (JSON.parse(out) as Diagnostic[])
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, where, message }) => `${severity} ${where.line ?? where.path ?? ''} ${message}`);
}

const routers = (places: Readonly<Record<string, string>>): string =>
  `http:\n  routers:\n${Object.entries(places)
    .map(([name, more]) => `    ${name}: {rule: "Host(\`${name}\`)", service: s, ${more}}\n`)
    .join('')}  services: {s: {loadBalancer: {servers: [{url: "http://a"}]}}}\n`;

const file = 'providers: {file: {filename: d.yml}}\n';

test('values, addresses and references of one static file are told together', async (context) => {
  const text = `${file}entryPoints:
  web: {address: ":99999", transport: {respondingTimeouts: {readTimeout: soon}}}
  other: {address: ":82", http: {redirections: {entryPoint: {to: nowhere}}}}
ping: {entryPoint: gone}
log: {level: chatty}
`;
  assert.deepEqual(await told(context, { 's.yml': text, 'd.yml': '{}' }, ['s.yml', 'd.yml']), [
    'error 3 `address` is ":99999", expected `[host]:port` with a port up to 65535',
    'error 3 `readTimeout` is "soon", expected a duration: seconds as a number, or 500ms, 30s, 1h30m',
    'error 4 `to` is "nowhere", expected the name of an entry point or `:port`',
    'error 5 `entryPoint` is "gone", expected the name of an entry point',
    'error 6 `level` is "chatty", expected trace, debug, info, warn, error, fatal, panic',
  ]);
});

test('what follows from a key that is misspelt or cannot be read is not told beside it', async (context) => {
  const text = `entryPoints:
  web: {adress: ":80"}
  other: {address: [1, 2]}
  third: 5
  fourth: {address: ":84", http: {redirections: {entryPoint: {to: third}}}}
certificatesResolvers:
  one: {acme: {httpChalenge: {entryPoint: web}}}
  two: {acme: {httpChallenge: {entryPoint: third}}}
providers: {file: {derectory: conf}}
`;
  const found = await told(context, { 's.yml': text }, ['s.yml']);
  assert.deepEqual(
    found.map((line) => line.split(' ').slice(0, 5).join(' ')),
    [
      'error 2 unknown key `adress`',
      'error 3 `address` is [1,',
      'error 4 `third` is 5,',
      'error 7 unknown key `httpChalenge`',
      'error 9 unknown key `derectory`',
    ],
  );
});

test('a redirection to a port that is not known yet, to none, or under no scheme is no end of the check', async (context) => {
  const text = `entryPoints:
  web: {address: ":0", http: {redirections: {entryPoint: {to: other}}}}
  other: {address: ":0"}
  third: {address: ":83", http: {redirections: {entryPoint: {to: ":99999"}}}}
  fourth: {address: ":84", http: {redirections: {entryPoint: {to: ":8443"}}}}
  fifth: {address: ":85", http: {redirections: {entryPoint: {to: fourth, scheme: "https://"}}}}
`;
  assert.deepEqual(await told(context, { 's.yml': text }, ['s.yml']), [
    'error 4 `to` is ":99999", expected the name of an entry point or `:port`',
    'error 6 `scheme` is "https://", expected a scheme such as https',
  ]);
});

test('flags are told in one round, too', async (context) => {
  const flags = ['--entrypoints.web.address=:http', '--log.level=chatty', '--ping.entrypoint=gone'];
  assert.deepEqual(await told(context, {}, flags), [
    'error log.level `level` is "chatty", expected trace, debug, info, warn, error, fatal, panic',
    'error entryPoints.web.address `address` is ":http", expected `[host]:port` with a port up to 65535',
    'error ping.entryPoint `entryPoint` is "gone", expected the name of an entry point',
  ]);
});

test('what is wrong with a resolver or an entry point is told there, not at the routers that name it', async (context) => {
  const text = `${file}entryPoints: {web: {address: ":99999"}}
certificatesResolvers:
  broken: {acme: {caServer: "ftp://x", tlsChallenge: {}}}
  bare: {acme: {email: a@b.example}}
  empty: {}
  unread: {acme: {httpChallenge: 5}}
`;
  const places = ['broken', 'bare', 'empty', 'unread', 'none'].map(
    (name) => [name, `entryPoints: [web], tls: {certResolver: ${name}}`] as const,
  );
  const found = await told(context, { 's.yml': text, 'd.yml': routers(Object.fromEntries(places)) }, [
    's.yml',
    'd.yml',
  ]);
  assert.deepEqual(
    found.map((line) => line.slice(0, 60)),
    [
      "warning 7 router none@file: certificates resolver none doesn't exist: no certificate is ordered",
      'error 2 `address` is ":99999", expected `[host]:port` with a port up to 65535',
      'error 4 `caServer` is "ftp://x", expected the URL of an ACME directory',
      'error 5 ACME challenge not specified, please select TLS or HTTP or DNS Challenge',
      'error 6 `certificatesResolvers.empty` cannot be a standalone element',
      'error 7 `httpChallenge` is 5, expected true, false or options by name',
    ].map((line) => line.slice(0, 60)),
  );
});

test('a section that cannot be read takes no blame for what the dynamic part names of it', async (context) => {
  const text = `${file}entryPoints: 5\nping: maybe\napi: 7\ncertificatesResolvers: []\n`;
  const dynamic = routers({ a: 'entryPoints: [web], tls: {certResolver: le}' }).replace(
    'routers:\n',
    'routers:\n    p: {rule: "Path(`/ping`)", service: ping@internal}\n',
  );
  const found = await told(context, { 's.yml': text, 'd.yml': dynamic }, ['s.yml', 'd.yml']);
  assert.deepEqual(
    found.map((line) => line.split(',')[0]),
    [
      'error 2 `entryPoints` is 5',
      'error 3 `ping` is "maybe"',
      'error 4 `api` is 7',
      'error 5 `certificatesResolvers` is a list',
    ],
  );
});

test('labels of version 1 are told beside a static file of version 1', async (context) => {
  const files = {
    'traefik.toml':
      'defaultEntryPoints = ["http"]\n[entryPoints.http]\naddress = ":80"\n[entryPoints.http.redirect]\nentryPoint = "https"\n[docker]\ndomain = "a.example"\n',
    'compose.yml':
      'services:\n  gate:\n    image: traefik:1.7\n    volumes: ["./traefik.toml:/etc/traefik/traefik.toml"]\n  app:\n    image: app\n    expose: [80]\n    labels: ["traefik.frontend.rule=Host:a.example"]\n',
  };
  const { out } = await call(folder(context, files), ['check', 'compose.yml']);
  assert.match(out, /traefik\.toml:\d+:\d+ error unknown key `redirect`/);
  assert.match(out, /compose\.yml:8:14 warning this is a label of version 1/);
  assert.doesNotMatch(out, /does not read containers/);
});

const manifest =
  'apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: a}\nspec: {routes: []}\n';

for (const [what, text] of [
  ['one', manifest],
  ['several in one file', `${manifest}---\napiVersion: v1\nkind: Service\n`],
] as const) {
  test(`a Kubernetes manifest, ${what}, is told as what it is, in one sentence`, async (context) => {
    const files = { 'route.yml': text, 'd/route.yml': text };
    const sentence = 'this is a Kubernetes manifest (IngressRoute): nothing of it is read';
    const expected = /^error [12] this is a Kubernetes manifest \(IngressRoute\): nothing of it is read$/;
    for (const argv of [['route.yml'], ['d'], ['--configFile=route.yml']]) {
      const found = await told(context, files, argv);
      assert.equal(found.length, 1, `${argv.join(' ')}: ${found.join('\n')}, not ${sentence}`);
      assert.match(found[0] ?? '', expected);
    }
  });
}
