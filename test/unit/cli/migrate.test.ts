// `migrate`: what carries over, what has to change, what cannot come along.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, folder } from './support.ts';

interface Told {
  readonly carries: {
    readonly routers: readonly string[];
    readonly services: readonly string[];
    readonly middlewares: readonly string[];
  };
  readonly changes: readonly {
    readonly code: string;
    readonly place: string;
    readonly instead: string;
    readonly isRequired: boolean;
  }[];
  readonly cannot: readonly { readonly place: string; readonly message: string }[];
}

const sound = `http:
  routers: {r: {rule: "Host(\`a\`)", service: s, middlewares: [m]}}
  middlewares: {m: {addPrefix: {prefix: /a}}}
  services: {s: {loadBalancer: {servers: [{url: "http://a:1"}]}}}
`;
const fixed = 'entryPoints: {web: {address: ":80"}}\nproviders: {file: {filename: dyn.yml}}\n';

test('a set-up of v3 carries over whole', async (context) => {
  const cwd = folder(context, { 'traefik.yml': fixed, 'dyn.yml': sound });
  const { code, out } = await call(cwd, ['migrate', 'traefik.yml', 'dyn.yml']);
  assert.equal(code, 0, out);
  assert.match(out, /Carries over\n {2}1 router: r@file\n {2}1 service: s@file\n {2}1 middleware: m@file\n/);
  assert.match(out, /Nothing stands in the way/);
});

test('left-overs of v2 have to change first, with the line to write; old rules may stay', async (context) => {
  const cwd = folder(context, {
    'traefik.yml': `${fixed}pilot: {token: x}\nexperimental: {http3: true}\n`,
    'dyn.yml': sound.replace('Host(`a`)', 'Host(`a`, `b`)'),
  });
  const { code, out } = await call(cwd, ['migrate', 'traefik.yml', 'dyn.yml', '--json']);
  assert.equal(code, 1);
  const told = JSON.parse(out) as Told;
  const required = told.changes.filter(({ isRequired }) => isRequired);
  assert.deepEqual(required.map(({ place }) => place.replace(/^.*\//, '')).sort(), [
    'dyn.yml:2:23',
    'traefik.yml:3:1',
    'traefik.yml:4:16',
  ]);
  const rule = required.find(({ code: found }) => found === 'config.rule');
  assert.match(rule?.instead ?? '', /write Host\(`a`\) \|\| Host\(`b`\); or keep it, with `ruleSyntax: v2`/);
  const kept = folder(context, {
    'traefik.yml': `${fixed}core: {defaultRuleSyntax: v2}\n`,
    'dyn.yml': sound.replace('Host(`a`)', 'Host(`a`, `b`)'),
  });
  assert.equal((await call(kept, ['migrate', 'traefik.yml', 'dyn.yml'])).code, 0);
});

test('what is not supported cannot come along, and has its place', async (context) => {
  const cwd = folder(context, {
    'compose.yml': `services:
  gate:
    image: traefik:v2.11
    command: [--providers.docker, --providers.docker.swarmmode=false, "--entrypoints.web.address=:80"]
  db:
    image: db
    expose: [5432]
    labels: ["traefik.tcp.routers.db.rule=HostSNI(\`*\`)"]
  app:
    image: app
    expose: [80]
    labels: ["traefik.http.routers.app.rule=Host(\`a\`)"]
`,
  });
  const { code, out } = await call(cwd, ['migrate', 'compose.yml']);
  assert.equal(code, 1);
  assert.match(
    out,
    /Has to change first\n {2}compose\.yml:4:\d+: `providers\.docker\.swarmMode` no longer exists → .*delete the option/,
  );
  assert.match(out, /Cannot come along\n {2}compose\.yml:8:\d+: TCP routers and services are not supported/);
  assert.match(out, /2 things to settle first/);
});

test('flags alone are a set-up, too', async (context) => {
  const cwd = folder(context, {});
  const { code, out } = await call(cwd, ['migrate', '--providers.swarm', '--entrypoints.web.address=:80']);
  assert.equal(code, 1);
  assert.match(out, /Cannot come along\n {2}--providers\.swarm: /);
});
