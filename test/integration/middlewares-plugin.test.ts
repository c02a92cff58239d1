// Middlewares of the user's own: the example of the manual as it stands there, and those that do not work.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

const manual = readFileSync(new URL('../../docs/writing-a-middleware.md', import.meta.url), 'utf8');
const example = /```ts\n([\s\S]*?)```/.exec(manual)?.[1] ?? '';

const modules: Readonly<Record<string, string>> = {
  'greeter.ts': example,
  'plain.mjs': `
    import { CONTINUE, section } from 'portcullis/plugin';
    export const middleware = {
      schema: section({}),
      build: () => ({ request(x) { x.headers.push('x-plain', 'yes'); return CONTINUE; } }),
    };`,
  'throws.ts': 'throw new Error("not today");',
  'nothing.ts': 'export const other: number = 1;',
  'waits.ts': 'await Promise.resolve(); export const middleware = {};',
};

const middlewares: Readonly<Record<string, object>> = {
  hi: { plugin: { greeter: { greeting: 'Moin' } } },
  cased: { plugin: { greeter: { GREETING: 'Servus' } } },
  plain: { plugin: { plain: {} } },
  status: { plugin: { greeter: { status: 7 } } },
  unknown: { plugin: { greeter: { colour: 'red' } } },
  two: { plugin: { greeter: { greeting: 'a' }, plain: {} } },
  absent: { plugin: { other: { a: 'b' } } },
  throws: { plugin: { throws: { a: 'b' } } },
  nothing: { plugin: { nothing: { a: 'b' } } },
  waits: { plugin: { waits: { a: 'b' } } },
};

describe('plugins', () => {
  let origin: Origin;
  let gateway: TestGateway;
  let folder: string;
  before(async () => {
    origin = await startOrigin();
    folder = mkdtempSync(join(tmpdir(), 'portcullis-plugins-'));
    for (const [file, text] of Object.entries(modules)) writeFileSync(join(folder, file), text);
    const routers = Object.fromEntries(
      Object.keys(middlewares).map((name) => [
        name,
        { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name], entryPoints: ['web'] },
      ]),
    );
    const open = { rule: 'Host(`open.test`)', service: 'origin', entryPoints: ['web'] };
    const services = { origin: { loadBalancer: { servers: [{ url: origin.url }] } } };
    gateway = await startGateway({
      static: {
        plugins: Object.fromEntries(
          Object.keys(modules).map((file) => [file.split('.')[0], { module: join(folder, file) }]),
        ),
      },
      dynamic: { http: { routers: { ...routers, open }, middlewares, services } },
    });
  });
  after(async () => {
    await gateway?.stop();
    await origin?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (name: string, target = '/', headers: Record<string, string> = {}): Promise<Answer> =>
    ask(gateway.port('web'), { host: `${name}.test`, target, headers });

  test('the example of the manual does what it says', async () => {
    assert.deepEqual(await get('hi', '/hello'), {
      status: 200,
      headers: ['content-length: 5', 'content-type: text/plain'],
      body: 'Moin\n',
    });
    const answer = await get('hi');
    assert.equal(answer.status, 200);
    assert.ok(answer.headers.includes('x-greeting: Moin'));
    assert.equal(origin.requests.at(-1)?.headers['x-greeter'], 'hi@file');
  });

  test('its options are read in any case, like all options', async () => {
    assert.equal((await get('cased', '/hello')).body, 'Servus\n');
  });

  test('its own headers come from no client, on no route', async () => {
    assert.equal((await get('open', '/', { 'x-greeter': 'forged', x_greeter: 'forged' })).status, 200);
    assert.equal(origin.requests.at(-1)?.headers['x-greeter'], undefined);
    assert.equal(origin.requests.at(-1)?.headers['x_greeter'], undefined);
  });

  test('a plain object in JavaScript is a plugin, too', async () => {
    assert.equal((await get('plain')).status, 200);
    assert.equal(origin.requests.at(-1)?.headers['x-plain'], 'yes');
  });

  for (const name of ['status', 'unknown', 'two', 'absent', 'throws', 'nothing', 'waits']) {
    test(`the broken plugin of ${name}.test closes its router alone`, async () => {
      assert.equal((await get(name)).status, 503);
      assert.equal((await get('open')).status, 200);
    });
  }

  test('what is wrong is told', async () => {
    await gateway.waitForLog(/the plugin `throws` does not load: not today/);
    await gateway.waitForLog(/the plugin `nothing` does not load: it exports no `middleware`/);
    await gateway.waitForLog(/the plugin `waits` does not load: it awaits something at its top level/);
    await gateway.waitForLog(/status: 7 is no status/);
    await gateway.waitForLog(/colour/);
  });

  test('check reads options through the plugin, whose path begins at the static file', async () => {
    const file = join(folder, 'static.yml');
    const dynamic = join(folder, 'dynamic.yml');
    const of = (greeter: string): void =>
      writeFileSync(
        dynamic,
        `http:\n  middlewares:\n    hi:\n      plugin:\n        greeter:\n          ${greeter}\n`,
      );
    const providers = `providers:\n  file:\n    filename: ${JSON.stringify(dynamic)}\n`;
    writeFileSync(
      file,
      `entryPoints:\n  web:\n    address: ':8000'\nplugins:\n  greeter:\n    module: greeter.ts\n${providers}`,
    );
    of('greeting: Hi');
    const fine = await runCommand(['check', `--configFile=${file}`]);
    assert.equal(fine.code, 0, fine.output);
    of('greting: Hi');
    const wrong = await runCommand(['check', `--configFile=${file}`]);
    assert.equal(wrong.code, 1, wrong.output);
    assert.match(wrong.output, /dynamic\.yml:6:11/);
    assert.match(wrong.output, /did you mean `greeting`/);
  });
});
