// Dynamic configuration that is wrong: what is wrong is named, and everything else goes on.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';

let origin: Origin;
before(async () => {
  origin = await startOrigin();
});
after(() => origin.stop());

interface Place {
  readonly source: string;
  readonly line?: number;
}

interface FullDiagnostic {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly where: Place;
}

describe('a file that goes bad', { timeout: 60_000 }, () => {
  const good = (): string => `http:
  routers: {all: {rule: "PathPrefix(\`/\`)", service: s}}
  services: {s: {loadBalancer: {servers: [{url: "${origin.url}"}]}}}
`;
  const cases: readonly (readonly [string, string, number | undefined, RegExp])[] = [
    ['YAML that does not parse', 'http:\n  routers:\n    a: {rule: x\n', 4, /flow|expected|map/i],
    [
      'a key nobody knows',
      'http:\n  routers:\n    a:\n      rule: Host(`x`)\n      servise: s\n',
      5,
      /servise.*did you mean `service`/,
    ],
    [
      'a kind of middleware nobody knows',
      'http:\n  middlewares:\n    m:\n      stripPrefixx: {}\n',
      4,
      /did you mean `stripPrefix`/,
    ],
    [
      'a template that does not parse',
      'http:\n  routers:\n{{ range $i := until 2 }\n{{ end }}\n',
      3,
      /template/,
    ],
    ['a template that calls what is not there', 'http:\n  routers:\n\n{{ launch "x" }}\n', 4, /template/],
    [
      'two keys of one name',
      'http:\n  routers:\n    a: {rule: Host(`x`)}\n    a: {rule: Host(`y`)}\n',
      4,
      /unique|twice|duplicate/i,
    ],
  ];

  test('is named with file, line and hint, and its last good content goes on', async (t) => {
    const gateway = await start(t, { dynamic: good() });
    const { version } = await gateway.status();
    for (const [name, text, line, message] of cases) {
      await t.test(name, async () => {
        gateway.putDynamic(text);
        const found = await eventuallyDiagnosed(gateway, message);
        assert.equal(found.severity, 'error');
        assert.equal(found.where.source, join(gateway.dir, 'dynamic.yml'));
        assert.equal(found.where.line, line, JSON.stringify(found));
        await gateway.waitForLog(new RegExp(`dynamic\\.yml:${line}:\\d+: `));
        assert.equal((await gateway.status()).version, version);
        assert.equal(await ask(gateway, '/'), 200);
        gateway.putDynamic(good());
        await eventually('all is well again', async () => (await diagnosticsOf(gateway)).length === 0);
      });
    }
    assert.equal((await gateway.status()).version, version);
  });
});

describe('files and folders that are not there', { timeout: 60_000 }, () => {
  test('a missing file is named, and taken in when it appears', async (t) => {
    const dir = folder(t);
    const path = join(dir, 'later.yml');
    const gateway = await start(t, { static: fileProvider({ filename: path }) });
    const found = await eventuallyDiagnosed(gateway, /doesn't exist/);
    assert.equal(found.where.source, path);
    await gateway.waitForLog(/later\.yml: cannot be read: it doesn't exist/);
    assert.equal(await ask(gateway, '/'), 404);
    put(path, router('all', 'PathPrefix(`/`)'));
    await eventually('the file is taken in', async () => (await ask(gateway, '/')) === 200);
    assert.deepEqual(await diagnosticsOf(gateway), []);
  });

  test('a missing folder is named', async (t) => {
    const path = join(folder(t), 'nowhere');
    const gateway = await start(t, { static: fileProvider({ directory: path }) });
    assert.equal((await eventuallyDiagnosed(gateway, /doesn't exist/)).where.source, path);
    assert.equal(await ask(gateway, '/'), 404);
  });

  test('a file that cannot be read is named, and the others are taken', async (t) => {
    const dir = folder(t);
    put(join(dir, 'good.yml'), router('good', 'Path(`/good`)'));
    mkdirSync(join(dir, 'locked.yml'));
    const gateway = await start(t, { static: fileProvider({ filename: join(dir, 'locked.yml') }) });
    await eventuallyDiagnosed(gateway, /cannot be read/);
    const both = await start(t, { static: fileProvider({ directory: dir }) });
    assert.equal(await ask(both, '/good'), 200);
  });
});

describe('two files', { timeout: 60_000 }, () => {
  test('one that breaks keeps its last good content while the other changes; one that is deleted goes', async (t) => {
    const dir = folder(t);
    const [one, two] = [join(dir, 'one.yml'), join(dir, 'two.toml')];
    put(one, router('one', 'Path(`/one`)'));
    put(two, `[http.routers.two]\nrule = "Path(\`/two\`)"\nservice = "one"\n`);
    const gateway = await start(t, { static: fileProvider({ directory: dir }) });
    assert.deepEqual([await ask(gateway, '/one'), await ask(gateway, '/two')], [200, 200]);

    put(two, `[http.routers.two]\nrule = "Path(\`/two\`)\nservice = "one"\n`);
    const found = await eventuallyDiagnosed(gateway, /string/);
    assert.deepEqual([found.where.source, found.where.line], [two, 2]);
    put(one, router('one', 'Path(`/uno`)'));
    await eventually('the good file counts', async () => (await ask(gateway, '/uno')) === 200);
    assert.deepEqual([await ask(gateway, '/one'), await ask(gateway, '/two')], [404, 200]);

    rmSync(two);
    await eventually('the deleted file is gone', async () => (await ask(gateway, '/two')) === 404);
    assert.deepEqual(await diagnosticsOf(gateway), []);
    assert.equal(await ask(gateway, '/uno'), 200);
  });
});

describe('a single broken object', { timeout: 60_000 }, () => {
  test('takes only the routers along that need it; API, log and status say why', async (t) => {
    const service = { loadBalancer: { servers: [{ url: origin.url }] } };
    const dynamic = {
      http: {
        routers: {
          fine: { rule: 'Path(`/fine`)', service: 's', middlewares: ['ok'] },
          'no-middleware': { rule: 'Path(`/no-middleware`)', service: 's', middlewares: ['gone'] },
          'no-service': { rule: 'Path(`/no-service`)', service: 'nowhere' },
          'bad-regex': { rule: 'Path(`/bad-regex`)', service: 's', middlewares: ['regex'] },
          cycle: { rule: 'Path(`/cycle`)', service: 's', middlewares: ['ring-a'] },
          'bad-rule': { rule: 'Path(`/bad-rule`) && Pathh(`/x`)', service: 's' },
        },
        middlewares: {
          ok: { addPrefix: { prefix: '/p' } },
          regex: { redirectRegex: { regex: '(', replacement: 'x' } },
          'ring-a': { chain: { middlewares: ['ring-b'] } },
          'ring-b': { chain: { middlewares: ['ring-a'] } },
        },
        services: { s: service },
      },
    };
    const gateway = await start(t, { dynamic, workers: 2 });
    assert.equal(await ask(gateway, '/fine'), 200);
    for (const [name, status, why] of [
      ['no-middleware', 503, /gone@file.*doesn't exist/],
      ['no-service', 503, /nowhere@file.*doesn't exist/],
      ['bad-regex', 503, /regex@file.*missing closing \)/],
      ['cycle', 503, /ring-a@file->ring-b@file->ring-a@file/],
      // What cannot be read cannot match.
      ['bad-rule', 404, /unknown matcher Pathh/],
    ] as const) {
      assert.equal(await ask(gateway, `/${name}`), status, name);
      const answer = await fetch(`${gateway.url('traefik')}/api/http/routers/${name}@file`);
      const view = (await answer.json()) as { status: string; error?: string[] };
      assert.equal(view.status, 'disabled', name);
      assert.match((view.error ?? []).join(), why);
      await gateway.waitForLog(why);
      const found = await eventuallyDiagnosed(gateway, why);
      assert.equal(found.where.source, join(gateway.dir, 'dynamic.yml'));
      assert.equal(typeof found.where.line, 'number');
    }
    const { version } = await gateway.status();
    dynamic.http.routers['no-service'].service = 's';
    dynamic.http.middlewares.regex.redirectRegex.regex = '^never$';
    dynamic.http.routers['bad-rule'].rule = 'Path(`/bad-rule`)';
    await gateway.writeDynamic(dynamic);
    assert.equal((await gateway.status()).version, version + 1);
    for (const path of ['/no-service', '/bad-regex', '/bad-rule', '/fine'])
      assert.equal(await ask(gateway, path), 200);
    for (const path of ['/no-middleware', '/cycle']) assert.equal(await ask(gateway, path), 503);
  });
});

async function start(t: TestContext, options: Parameters<typeof startGateway>[0]): Promise<TestGateway> {
  const gateway = await startGateway(options);
  t.after(() => gateway.stop());
  return gateway;
}

function fileProvider(file: object): object {
  return { providers: { providersThrottleDuration: '10ms', file: { watch: true, ...file } } };
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-files-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Never half there. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function router(name: string, rule: string): string {
  return `http:
  routers: {${name}: {rule: "${rule}", service: ${name}}}
  services: {${name}: {loadBalancer: {servers: [{url: "${origin.url}"}]}}}
`;
}

async function ask(gateway: TestGateway, path: string): Promise<number> {
  const answer = await fetch(gateway.url('web') + path);
  await answer.arrayBuffer();
  return answer.status;
}

async function diagnosticsOf(gateway: TestGateway): Promise<readonly FullDiagnostic[]> {
  return (await gateway.status()).diagnostics as unknown as readonly FullDiagnostic[];
}

/** The first diagnostic whose message or hint matches, once there is one. */
async function eventuallyDiagnosed(gateway: TestGateway, pattern: RegExp): Promise<FullDiagnostic> {
  let found: FullDiagnostic | undefined;
  await eventually(`a diagnostic like ${pattern}`, async () => {
    found = (await diagnosticsOf(gateway)).find(({ message, hint }) =>
      pattern.test(`${message} ${hint ?? ''}`),
    );
    return found !== undefined;
  }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(await diagnosticsOf(gateway), null, 1)}`);
  });
  return found as FullDiagnostic;
}
