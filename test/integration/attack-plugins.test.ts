// Plugins that are wrong in every place: what they should have guarded stays shut, and the gateway stays up.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Answer, ask } from '../support/ask.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { requestText, sendRaw } from '../support/raw.ts';

const secret = 'S3CR3T';
const pass = 'build: () => ({ request: () => CONTINUE })';

/** What each exports, and what its routers answer. */
const plugins: Readonly<Record<string, readonly [body: string, status: number]>> = {
  schema: [`schema: z.any().transform(() => { throw new Error('${secret}'); }), ${pass}`, 503],
  waitingschema: [`schema: z.any().transform(async (value) => value), ${pass}`, 503],
  otherschema: [`schema: { safeParse: () => ({ success: true, data: {} }) }, ${pass}`, 503],
  files: [`schema: z.any(), withFiles() { throw new Error('no file'); }, ${pass}`, 503],
  names: [`schema: z.any(), ownHeaders() { throw new Error('no list'); }, ${pass}`, 503],
  nonames: [`schema: z.any(), ownHeaders: () => 'x-user', ${pass}`, 503],
  nothing: ['schema: z.any(), build: () => undefined', 503],
  promise: [`schema: z.any(), build: async () => ({ request: () => CONTINUE })`, 503],
  misspelt: [`schema: z.any(), build: () => ({ onRequest: () => CONTINUE })`, 503],
  nofunction: [`schema: z.any(), build: () => ({ request: true })`, 503],
  throwing: [`schema: z.any(), build: () => ({ response() { throw new Error('no'); } })`, 500],
  rejecting: [`schema: z.any(), build: () => ({ response: async () => { throw new Error('no'); } })`, 500],
  nullish: ['schema: z.any(), build: () => ({ response: () => null })', 500],
  verdict: ['schema: z.any(), build: () => ({ response: () => 7 })', 500],
  laterverdict: ['schema: z.any(), build: () => ({ response: async () => 7 })', 500],
  lines: [
    "schema: z.any(), build: () => ({ response(x) { x.responseHeaders.push('x-a', 'b\\r\\nset-cookie: a=1'); } })",
    500,
  ],
  answerlines: [
    "schema: z.any(), build: () => ({ request: (x) => x.answer(200, ['x-a: b\\r\\nset-cookie', 'a=1'], '') })",
    500,
  ],
  widelines: [
    // As latin1 these two are CR and LF.
    "schema: z.any(), build: () => ({ response(x) { x.responseHeaders.push('x-a', 'b\\u010d\\u010aset-cookie: a=1'); } })",
    500,
  ],
  oddheaders: ["schema: z.any(), build: () => ({ response(x) { x.responseHeaders = ['x-a']; } })", 500],
  noheaders: ['schema: z.any(), build: () => ({ request: (x) => x.answer(200, null, "") })', 500],
  greatstatus: ["schema: z.any(), build: () => ({ request: (x) => x.answer(1000, [], 'a') })", 500],
  smallstatus: ["schema: z.any(), build: () => ({ request: (x) => x.answer(100, [], 'a') })", 500],
  nostatus: ["schema: z.any(), build: () => ({ request: (x) => x.answer('a', [], 'a') })", 500],
  nobody: ['schema: z.any(), build: () => ({ request: (x) => x.answer(200, [], undefined) })', 500],
  numberbody: ['schema: z.any(), build: () => ({ request: (x) => x.answer(200, [], 7) })', 500],
  objectbody: ['schema: z.any(), build: () => ({ response: async (x) => x.answer(200, [], { a: 1 }) })', 500],
  statusonly: ['schema: z.any(), build: () => ({ response(x) { x.status = NaN; } })', 500],
  target: [
    "schema: z.any(), build: () => ({ request(x) { x.path = '/a HTTP/1.1\\r\\nx-admin: 1\\r\\n\\r\\n'; return CONTINUE; } })",
    400,
  ],
  fine: [`schema: z.any(), ownHeaders: () => ['x-fine'], ${pass}`, 200],
};

for (const engine of ['uws', 'node'] as const) attack(engine);

function attack(engine: 'uws' | 'node'): void {
  describe(`attacks by plugins behind the ${engine} engine`, () => {
    let origin: Origin;
    let gateway: TestGateway;
    let folder: string;
    before(async () => {
      origin = await startOrigin();
      folder = mkdtempSync(join(tmpdir(), 'portcullis-attack-'));
      for (const [name, [body]] of Object.entries(plugins)) {
        const text = `import { CONTINUE, z } from 'portcullis/plugin';\nexport const middleware = { ${body} };\n`;
        writeFileSync(join(folder, `${name}.mjs`), text);
      }
      const names = Object.keys(plugins);
      const options = { apiKey: secret, deep: { clientSecret: secret } };
      gateway = await startGateway({
        engine,
        static: {
          plugins: Object.fromEntries(names.map((name) => [name, { module: join(folder, `${name}.mjs`) }])),
        },
        dynamic: {
          http: {
            routers: Object.fromEntries(
              names.map((name) => [
                name,
                { rule: `Host(\`${name}.test\`)`, service: 'origin', middlewares: [name] },
              ]),
            ),
            middlewares: Object.fromEntries(names.map((name) => [name, { plugin: { [name]: options } }])),
            services: { origin: { loadBalancer: { servers: [{ url: origin.url }] } } },
          },
        },
      });
    });
    after(async () => {
      await gateway?.stop();
      await origin?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const get = (name: string): Promise<Answer> => ask(gateway.port('web'), { host: `${name}.test` });

    for (const [name, [, status]] of Object.entries(plugins)) {
      test(`${name}: ${status}`, async () => {
        const answer = await get(name);
        assert.equal(answer.status, status);
        assert.deepEqual(
          answer.headers.filter((line) => line.startsWith('set-cookie')),
          [],
        );
      });
    }

    test('a path that a plugin made up begins no other request to a server of WebSockets', async () => {
      const before = origin.requests.length;
      const handshake = [
        'Host: target.test',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
      ];
      const text = requestText('GET /', [...handshake, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']);
      assert.match((await sendRaw(gateway.port('web'), text)).text, /^HTTP\/1\.1 [45]00 /);
      assert.equal(origin.requests.length, before);
    });

    test('neither the API nor the log shows what they were given', async () => {
      for (const path of ['rawdata', 'http/middlewares', 'diagnostics', 'portcullis/status']) {
        const text = await (await fetch(`${gateway.url('traefik')}/api/${path}`)).text();
        assert.ok(!text.includes(secret), path);
      }
      assert.ok(!gateway.logs().includes(secret));
    });
  });
}
