// Compose files on the real command line, and `explain` against a gateway that runs.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runCommand, startGateway } from '../support/gateway.ts';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-compose-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const good = join(dir, 'compose.yml');
writeFileSync(
  good,
  `services:
  gate:
    image: traefik:v3
    command: [--providers.docker, "--entrypoints.web.address=:80"]
    labels: {traefik.enable: false}
  app:
    image: app
    expose: [3000]
    labels: ["traefik.http.routers.app.rule=Host(\`app.test\`)"]
`,
);
const bad = join(dir, 'bad.yml');
writeFileSync(
  bad,
  'services:\n  app:\n    image: app\n    labels: ["traefik.http.routers.app.rul=Host(`app.test`)"]\n',
);

describe('compose files', { timeout: 60_000 }, () => {
  test('check prints the routes and is 0, or the line and is 1', async () => {
    const fine = await runCommand(['check', good]);
    assert.equal(fine.code, 0, fine.output);
    assert.match(fine.output, /app@docker +web +Host\(`app\.test`\)/);
    const wrong = await runCommand(['check', bad]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.output, /bad\.yml:4:14 error unknown key `rul`.*did you mean `rule`/s);
  });

  test('explain and migrate read the same file', async () => {
    const told = await runCommand(['explain', 'GET', 'http://app.test/', good]);
    assert.equal(told.code, 0, told.output);
    assert.match(told.output, /servers: +http:\/\/app:3000/);
    assert.equal((await runCommand(['migrate', good])).code, 0);
    assert.equal((await runCommand(['migrate', bad])).code, 1);
  });
});

test('explain asks a running gateway, which answers as the files do', {
  timeout: 60_000,
}, async (context) => {
  const gateway = await startGateway({
    dynamic: `http:
  routers:
    api: {rule: "Host(\`a.test\`) && PathPrefix(\`/api\`)", service: s, entryPoints: [web], middlewares: [strip]}
    old: {rule: "Path(\`/x/{id:[0-9]+}\`)", ruleSyntax: v2, service: s, entryPoints: [web]}
  middlewares:
    strip: {stripPrefix: {prefixes: [/api]}}
  services:
    s: {loadBalancer: {servers: [{url: "http://127.0.0.1:9"}]}}
`,
  });
  context.after(() => gateway.stop());
  const ask = (url: string) =>
    runCommand(['explain', 'GET', url, '--entrypoint', 'web', '--endpoint', gateway.url('traefik')]);
  const won = await ask('http://a.test/api/x');
  assert.equal(won.code, 0, won.output);
  assert.match(
    won.output,
    /> api@file .*\n.*1\. strip@file: stripPrefix prefixes=\/api\n.*servers: +http:\/\/127\.0\.0\.1:9 \(UP\)/s,
  );
  const old = await ask('http://b.test/x/17');
  assert.match(old.output, /> old@file/);
  const none = await ask('http://b.test/');
  assert.equal(none.code, 1);
  assert.match(none.output, /404: no router matches/);
});
