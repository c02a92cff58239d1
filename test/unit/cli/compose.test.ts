// `check`, `routes` and `explain` on compose files: what a gateway in them would see.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { call, checked, folder } from './support.ts';

const ops = path.resolve(import.meta.dirname, '../../../ops/compose');

interface Route {
  readonly name: string;
  readonly rule: string;
  readonly priority: string;
  readonly entryPoints: readonly string[];
  readonly middlewares: readonly string[];
  readonly service: string;
  readonly tls: { readonly certResolver: string | null } | null;
  readonly errors: readonly string[];
}

async function routesOf(file: string): Promise<Map<string, Route>> {
  const { out, code } = await call(ops, ['routes', file, '--format=json']);
  assert.equal(code, 0, out);
  return new Map((JSON.parse(out) as Route[]).map((route) => [route.name, route]));
}

describe('the compose files of the repository decode to the routes they are for', () => {
  test('a platform behind one guarded door', async () => {
    const routes = await routesOf('omni2.yml');
    const told = [...routes.values()]
      .filter(({ name }) => !name.endsWith('@internal'))
      .map(({ name, rule, priority, middlewares, service }) => [
        name,
        priority,
        rule,
        middlewares.join(' '),
        service,
      ]);
    assert.deepEqual(told, [
      ['omni2-ws@docker', '200', 'Path(`/ws/mcp-status`)', '', 'omni2@docker'],
      [
        'auth-public@docker',
        '150',
        'Path(`/auth/login`) || Path(`/auth/register`) || Path(`/auth/health`)',
        'cors@docker',
        'auth_service@docker',
      ],
      [
        'admin-api@docker',
        '110',
        'PathPrefix(`/admin/api`)',
        'cors@docker internal-only@docker auth-forward@docker',
        'admin-api@docker',
      ],
      [
        'omni2-protected@docker',
        '100',
        'PathPrefix(`/api`)',
        'cors@docker auth-forward@docker',
        'omni2@docker',
      ],
      [
        'admin-web@docker',
        '90',
        'PathPrefix(`/admin`)',
        'internal-only@docker auth-forward@docker',
        'admin-web@docker',
      ],
      ['omni2-public@docker', '50', 'PathPrefix(`/health`)', '', 'omni2@docker'],
      ['dashboard@docker', '46', 'PathPrefix(`/api`) || PathPrefix(`/dashboard`)', '', 'api@internal'],
    ]);
    assert.ok([...routes.values()].every(({ errors }) => errors.length === 0));
    const asked = await call(ops, ['explain', 'GET', 'http://localhost/api/v1/chat', 'omni2.yml']);
    assert.equal(asked.code, 0, asked.out);
    assert.match(asked.out, /> omni2-protected@docker/);
    assert.match(
      asked.out,
      /2\. auth-forward@docker: forwardAuth address=http:\/\/mcp-auth-service:8700\/api\/v1\/auth\/validate/,
    );
    assert.match(asked.out, /servers: +http:\/\/omni2:8000\n/);
  });

  test('a gateway in front of MCP services, with middlewares from a mounted folder', async () => {
    const routes = await routesOf('mcp-gateway.yml');
    for (const [name, priority, rule, middlewares, service] of [
      ['traefik@docker', '27', 'Host(`traefik.example.com`)', ['mcp-auth@file'], 'api@internal'],
      [
        'auth-oauth@docker',
        '4',
        'PathPrefix(`/register`) || PathPrefix(`/authorize`) || PathPrefix(`/token`) || PathPrefix(`/callback`) || PathPrefix(`/.well-known`)',
        [],
        'auth@docker',
      ],
      [
        'mcp-fetch@docker',
        '2',
        'Host(`mcp-fetch.example.com`) || Host(`fetch.example.com`)',
        ['mcp-auth@file'],
        'mcp-fetch@docker',
      ],
    ] as const) {
      const route = routes.get(name);
      assert.ok(route, name);
      assert.deepEqual(
        [route.priority, route.rule, route.service, route.entryPoints],
        [priority, rule, service, ['websecure']],
      );
      assert.deepEqual(route.middlewares, middlewares);
      assert.deepEqual([route.errors, route.tls?.certResolver], [[], 'letsencrypt']);
    }
    assert.ok(routes.has('web-to-websecure@internal'));
  });

  test('neither has anything wrong, and the domain comes from the environment', async () => {
    for (const file of ['omni2.yml', 'mcp-gateway.yml']) {
      const { code, out } = await call(ops, ['check', file]);
      assert.equal(code, 0, out);
      assert.match(out, /\n0 errors/);
    }
    const { out } = await call(ops, ['routes', 'mcp-gateway.yml'], { BASE_DOMAIN: 'my.test' });
    assert.match(out, /Host\(`mcp-fetch\.my\.test`\)/);
  });
});

const gateway = 'services:\n  gate:\n    image: registry.test:5000/traefik:v3@sha256:1\n';

test('flags and variables of the gateway are placed at their own lines', async (context) => {
  const flags = `${gateway}    command:\n      - --providers.docker\n      - --entrypoints.web.adress=:80\n`;
  const typo = await checked(context, { 'compose.yml': flags });
  assert.match(typo.out, /compose\.yml:6:9 error unknown key `adress`.*did you mean `address`/s);
  const variables = `${gateway}    environment:\n      TRAEFIK_ENTRYPOINTS_WEB_ADRESS: ":80"\n`;
  const other = await checked(context, { 'compose.yml': variables });
  assert.match(other.out, /compose\.yml:5:7 error unknown key `adress`/);
  const list = `${gateway}    environment:\n      - TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80\n      - TRAEFIK_PINGG=true\n`;
  assert.match((await checked(context, { 'compose.yml': list })).out, /compose\.yml:6:9 error .*pingg/);
});

test('a command in one text is split as a shell would', async (context) => {
  const text = `${gateway}    command: traefik --providers.docker --entrypoints.web.address=":81" '--log.level=INFO'\n`;
  const { code, out } = await checked(context, {
    'compose.yml': `${text}  app: {image: a, expose: [80], labels: {traefik.enable: true}}\n`,
  });
  assert.equal(code, 0, out);
  assert.match(out, /app-[\w-]+@docker +web /);
});

test('the mounted static file is read, and its file provider through the mounts', async (context) => {
  const cwd = folder(context, {
    'compose.yml': `${gateway}    volumes:\n      - ./conf/traefik.yml:/etc/traefik/traefik.yml:ro\n      - {type: bind, source: ./conf/dynamic, target: /dynamic}\n`,
    'conf/traefik.yml': 'entryPoints: {web: {address: ":80"}}\nproviders: {file: {directory: /dynamic}}\n',
    'conf/dynamic/a.yml': 'http: {routers: {r: {rule: "Host(`a`)", service: nobody}}}\n',
  });
  const { code, out } = await call(cwd, ['check', 'compose.yml']);
  assert.equal(code, 1);
  assert.match(out, /conf\/dynamic\/a\.yml:1:\d+ error router r@file: service nobody@file doesn't exist/);
  const lost = folder(context, { 'compose.yml': `${gateway}    command: [--configFile=/nowhere.yml]\n` });
  assert.match(
    (await call(lost, ['check', 'compose.yml'])).out,
    /compose\.yml:2:3 warning gate reads \/nowhere\.yml, and nothing .* is mounted there/,
  );
});

test('files mounted one by one into the folder that is read are looked at, and `configs` with them', async (context) => {
  const router = (name: string): string =>
    `http: {routers: {${name}: {rule: "Host(\`${name}\`)", service: nobody-${name}}}}\n`;
  const cwd = folder(context, {
    'compose.yml': `${gateway}    command: ["--entrypoints.web.address=:80", --providers.file.directory=/dyn]
    volumes: ["./one.yml:/dyn/one.yml:ro", "./note.txt:/dyn/note.txt", "./gone.yml:/dyn/gone.yml", "./more:/dyn/more"]
    configs: [{source: two, target: /dyn/deep/two.yml}, {source: inline, target: /dyn/inline.yml}, three]
configs:
  two: {file: ./two.yml}
  three: {file: ./three.yml}
  inline: {content: "http: {}"}
`,
    'one.yml': router('one'),
    'two.yml': router('two'),
    'three.yml': router('three'),
    'more/four.yml': router('four'),
    'note.txt': 'x',
  });
  const { out } = await call(cwd, ['check', 'compose.yml']);
  for (const name of ['one', 'two', 'four']) assert.match(out, new RegExp(`service nobody-${name}@file`));
  assert.doesNotMatch(out, /nobody-three|note\.txt/);
  assert.match(out, /warning gate reads \/dyn\/gone\.yml, and nothing .* is mounted there/);
  assert.match(out, /compose\.yml:6:\d+ warning gate reads \/dyn\/inline\.yml, .*not looked at/);
});

test('anchors, merge keys and `name` are those of the file', async (context) => {
  const text = `name: Shop!
x-labels: &labels
  traefik.enable: "true"
  traefik.http.routers.r.rule: Host(\`a\`)
${gateway}    command: [--providers.docker, "--entrypoints.web.address=:80"]
    labels: {traefik.enable: false}
  app:
    image: a
    ports: ["127.0.0.1:9000:3000/tcp", "53:53/udp"]
    labels:
      <<: *labels
      traefik.http.routers.r.entrypoints: nope
`;
  const { out } = await checked(context, { 'compose.yml': text });
  assert.match(out, /compose\.yml:\d+:7 warning router r@docker: entryPoint "nope" doesn't exist/);
  assert.match(out, /r@docker .*Host\(`a`\) +app-shop@docker/);
  const asked = await call(folder(context, { 'compose.yml': text.replace('nope', 'web') }), [
    'explain',
    'GET',
    'http://a/',
    'compose.yml',
  ]);
  assert.match(asked.out, /servers: +http:\/\/app:3000/);
});

test('a file that is named beside it stands in for what is mounted', async (context) => {
  const cwd = folder(context, {
    'docker-compose.yaml': `${gateway}    command: [--providers.docker, "--entrypoints.web.address=:80", --providers.file.directory=/d]\n  app:\n    image: a\n    expose: [80]\n    labels: ["traefik.http.routers.r.middlewares=m@file"]\n`,
    'dyn.yml': 'http: {middlewares: {m: {addPrefix: {prefix: /a}}}}\n',
  });
  assert.equal((await call(cwd, ['check', 'docker-compose.yaml', 'dyn.yml'])).code, 0);
  const alone = await call(cwd, ['check', 'docker-compose.yaml']);
  assert.equal(alone.code, 1);
  assert.match(alone.out, /warning gate reads \/d.*name those files on the command line/s);
});

test('a hash whose dollar signs are not doubled is told, and none of it is shown', async (context) => {
  for (const labels of [
    '["traefik.http.middlewares.m.basicauth.users=me:$apr1$hush$hush2"]',
    '{traefik.http.middlewares.m.basicauth.users: "me:$apr1$hush$hush2"}',
  ]) {
    const text = `services:\n  app:\n    image: a\n    expose: [80]\n    labels: ${labels}\n`;
    const { out } = await checked(context, { 'compose.yml': text });
    assert.match(
      out,
      /compose\.yml:5:\d+ warning a variable in this value is not set.*\$\$ where a dollar sign/s,
    );
    assert.doesNotMatch(out, /hush/);
  }
});

test('a compose file that cannot be read says so at its line', async (context) => {
  const { code, out } = await checked(context, { 'compose.yml': 'services:\n  a: [1\n' });
  assert.equal(code, 1);
  assert.match(out, /compose\.yml:\d+:\d+ error/);
});
