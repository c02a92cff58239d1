// The command line as real processes: exit codes and what is printed, for good and bad configurations.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { freePorts, runCommand, startGateway } from '../support/gateway.ts';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-commands-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const routes = `http:
  routers:
    api: {rule: "Host(\`a.test\`) && PathPrefix(\`/api\`)", service: s, middlewares: [strip]}
    all: {rule: "Host(\`a.test\`)", service: s}
  middlewares:
    strip: {stripPrefix: {prefixes: [/api]}}
  services:
    s: {loadBalancer: {servers: [{url: "http://127.0.0.1:9000"}]}}
`;
const good = file('good.yml', routes);
const typo = file('typo.yml', routes.replace('service: s}', 'servise: s}'));
const torn = file('torn.toml', '[http.routers.a]\nrule = "Host(`x`)\n');
const lost = file('lost.yml', routes.replace('[strip]', '[strop]'));
const using = (path: string): string => `--providers.file.filename=${path}`;
const web = '--entrypoints.web.address=127.0.0.1:8000';

describe('check', { timeout: 60_000 }, () => {
  test('is silent and 0 for what works', async () => {
    assert.deepEqual(await runCommand(['check', web, using(good)]), {
      code: 0,
      output: '0 errors, 0 warnings\n',
    });
    assert.equal((await runCommand(['check', good])).code, 0);
  });

  test('is 1 for what does not, with place, excerpt and hint', async () => {
    const wrong = await runCommand(['check', web, using(typo)]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.output, /typo\.yml:4:35 error unknown key `servise` in `http\.routers\.all`/);
    assert.match(wrong.output, /4 \| .*servise: s\}\n.*\^\n.*did you mean `service`\?/);
    assert.match(wrong.output, /1 error, 0 warnings/);
    const broken = await runCommand(['check', using(torn)]);
    assert.equal(broken.code, 1);
    assert.match(broken.output, /torn\.toml:2:\d+ error/);
    const missing = await runCommand(['check', using(lost)]);
    assert.equal(missing.code, 1);
    assert.match(
      missing.output,
      /lost\.yml:3:\d+ error router api@file: middleware strop@file doesn't exist/,
    );
    assert.match(missing.output, /did you mean strip@file/);
    const nowhere = await runCommand(['check', using(join(dir, 'nowhere.yml'))]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.output, /nowhere\.yml error cannot be read: it doesn't exist/);
  });

  test('speaks JSON and workflow annotations', async () => {
    const json = await runCommand(['check', using(typo), '--format=json']);
    assert.equal(json.code, 1);
    const [first] = JSON.parse(json.output) as Record<string, unknown>[];
    assert.equal(first?.['code'], 'config.unknown_key');
    assert.equal(first?.['severity'], 'error');
    assert.deepEqual(first?.['where'], {
      source: typo,
      line: 4,
      column: 35,
      path: 'http.routers.all.servise',
    });
    assert.equal(first?.['hint'], 'did you mean `service`?');
    const fine = await runCommand(['check', using(good), '--format', 'json']);
    assert.deepEqual([fine.code, JSON.parse(fine.output)], [0, []]);
    const notes = await runCommand(['check', using(typo), '--format=annotations']);
    assert.equal(notes.code, 1);
    assert.equal(
      notes.output,
      `::error file=${typo},line=4,col=35,title=config.unknown_key::unknown key \`servise\` in \`http.routers.all\`; did you mean \`service\`?\n`,
    );
  });

  test('shows no secrets of the line it quotes', async () => {
    const users = `http:\n  middlewares:\n    a:\n      basicAuth: {users: ["root:$apr1$hush"], reallm: x}\n`;
    const { code, output } = await runCommand(['check', using(file('secret.yml', users))]);
    assert.equal(code, 1);
    assert.doesNotMatch(output, /hush/);
  });

  test('is 2 when called wrongly', async () => {
    assert.equal((await runCommand(['check', '--format=xml'])).code, 2);
    const typed = await runCommand(['chek']);
    assert.equal(typed.code, 2);
    assert.match(typed.output, /did you mean `check`\?/);
  });
});

describe('explain and routes', { timeout: 60_000 }, () => {
  test('explain names the winner, what runs, and why the others do not', async () => {
    const won = await runCommand(['explain', 'GET', 'http://a.test/api/x', web, using(good)]);
    assert.equal(won.code, 0, won.output);
    assert.match(won.output, /> api@file[\s\S]*all@file[\s\S]*not tried: api@file has matched/);
    assert.match(won.output, /strip@file \(stripPrefix\)/);
    assert.match(won.output, /http:\/\/127\.0\.0\.1:9000/);
    const none = await runCommand(['explain', 'GET', 'http://b.test/', web, using(good)]);
    assert.equal(none.code, 1);
    assert.match(none.output, /404: no router matches/);
    const off = await runCommand(['explain', 'GET', 'http://a.test/api/x', web, using(lost)]);
    assert.equal(off.code, 1);
    assert.match(off.output, /strop@file/);
    assert.equal((await runCommand(['explain'])).code, 2);
  });

  test('routes and show-routing list all routers, highest priority first', async () => {
    const [one, other] = await Promise.all(
      ['routes', 'show-routing'].map((name) => runCommand([name, web, using(good)])),
    );
    assert.equal(one?.code, 0);
    assert.deepEqual(one, other);
    assert.match(one?.output ?? '', /api@file[\s\S]*all@file/);
  });
});

describe('healthcheck', { timeout: 60_000 }, () => {
  test('is 0 on a gateway that answers and 1 on anything else', async () => {
    const gateway = await startGateway({ static: { ping: {} } });
    const flags = ['--ping=true', `--entrypoints.traefik.address=127.0.0.1:${gateway.port('traefik')}`];
    try {
      const well = await runCommand(['healthcheck', ...flags]);
      assert.deepEqual(well, { code: 0, output: `OK: ${gateway.url('traefik')}/ping\n` });
      const off = await runCommand(['healthcheck', ...flags.slice(1)]);
      assert.equal(off.code, 1);
      assert.match(off.output, /please enable `ping` to use health check/);
    } finally {
      await gateway.stop();
    }
    const [free = 0] = await freePorts(1);
    const dead = await runCommand([
      'healthcheck',
      '--ping=true',
      `--entrypoints.traefik.address=127.0.0.1:${free}`,
    ]);
    assert.equal(dead.code, 1);
    assert.match(dead.output, /refused|ECONNREFUSED|Error/i);
  });

  test('is 1 where ping is not enabled in the gateway that runs', async () => {
    const gateway = await startGateway();
    try {
      const flags = ['--ping=true', `--entrypoints.traefik.address=127.0.0.1:${gateway.port('traefik')}`];
      const { code, output } = await runCommand(['healthcheck', ...flags]);
      assert.equal(code, 1);
      assert.match(output, /Bad healthcheck status: 404/);
    } finally {
      await gateway.stop();
    }
  });
});

test('version and help say what there is', { timeout: 30_000 }, async () => {
  const version = await runCommand(['version']);
  assert.equal(version.code, 0);
  assert.match(version.output, /\d+\.\d+\.\d+/);
  for (const args of [['--help'], ['help'], ['-h']]) {
    const { code, output } = await runCommand(args);
    assert.equal(code, 0, output);
    for (const word of [
      'check',
      'explain',
      'routes',
      'healthcheck',
      'purge',
      'version',
      '--entryPoints.<name>.address',
    ]) {
      assert.ok(output.includes(word), `${args.join(' ')} does not name ${word}`);
    }
  }
  const one = await runCommand(['check', '--help']);
  assert.equal(one.code, 0);
  assert.match(one.output, /--format tty\|json\|annotations/);
});

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}
