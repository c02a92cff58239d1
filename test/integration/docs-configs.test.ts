// Every configuration in README and docs/ is one that `portcullis check` has nothing against.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { type Block, at, checkout, readDocuments } from '../support/docs.ts';
import { makeAuthority } from '../support/pki.ts';

type Tree = Readonly<Record<string, unknown>>;

const blocks = readDocuments()
  .flatMap((document) => document.blocks)
  .filter(({ language }) => ['yaml', 'toml', 'json'].includes(language));

/** What a document shows a part of: keys of one service of a compose file. */
const composeKeys = [
  'command',
  'volumes',
  'group_add',
  'labels',
  'image',
  'healthcheck',
  'ports',
  'environment',
];

/** What blocks of dynamic configuration are about, but do not say each time. */
const givenStatic = {
  entryPoints: { web: { address: ':80' }, websecure: { address: ':443' } },
  api: {},
  plugins: { greeter: { module: './greeter.ts' } },
  certificatesResolvers: {
    letsencrypt: {
      acme: { email: 'ops@example.com', storage: 'acme.json', httpChallenge: { entryPoint: 'web' } },
    },
  },
};

const dir = mkdtempSync(join(tmpdir(), 'docs-configs-'));
after(() => rmSync(dir, { recursive: true, force: true }));
layOut();

let done = 0;
for (const block of blocks)
  test(`${at(block)} passes check`, { concurrency: 2 }, async () => {
    const { code, output } = await check(block);
    assert.equal(code, 0, output);
    const allowed = (block.attributes.get('warns') ?? '').split(',');
    const warned = [...output.matchAll(/ warning .*\[([\w.]+)\]/g)].map(([, one]) => one ?? '');
    assert.deepEqual(
      warned.filter((one) => !allowed.includes(one)),
      [],
      output,
    );
    done += 1;
  });

test('none was left out', (t) => {
  t.diagnostic(`${done} configurations checked, 0 excused`);
  assert.equal(done, blocks.length);
});

/** Files that the documents name. */
function layOut(): void {
  const authority = makeAuthority();
  const { cert, key } = authority.issue(['intranet.example.com']);
  authority.close();
  for (const folder of ['certs', 'data', 'logs', 'etc/portcullis', 'start/dynamic'])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'certs/intranet.pem'), cert);
  writeFileSync(join(dir, 'certs/intranet.key'), key, { mode: 0o600 });
  writeFileSync(join(dir, 'etc/portcullis/users'), 'ops:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n');
  const plugin = readDocuments()
    .flatMap((document) => document.blocks)
    .find(({ attributes }) => attributes.get('as') === 'greeter.ts');
  writeFileSync(join(dir, 'greeter.ts'), plugin?.text ?? '');
  writeFileSync(join(dir, 'given-static.json'), JSON.stringify(givenStatic));
}

async function check(block: Block): Promise<{ readonly code: number; readonly output: string }> {
  const name = at(block).replaceAll(/\W/g, '-');
  const tree = (block.language === 'toml' ? parseToml(block.text) : parseYaml(block.text)) as Tree;
  const isPart = Object.keys(tree).every((key) => composeKeys.includes(key));
  const file = `${name}.${block.language}`;
  const text = isPart ? JSON.stringify({ services: { gateway: { expose: [80], ...tree } } }) : block.text;
  const placed = text.replaceAll(/(?<=[\s"'])\/(?=(?:certs|data|logs|etc\/portcullis)\/)/g, `${dir}/`);
  writeFileSync(
    join(dir, file),
    placed.replaceAll(/<(openssl [^>]+)>/g, (_, command: string) => printed(command)),
  );
  const isDynamic = 'http' in tree || 'tls' in tree;
  if (!isDynamic) return run([file]);
  const given = `${name}-given.json`;
  writeFileSync(join(dir, given), JSON.stringify(whatIsMissing(tree)));
  return run(['given-static.json', given, file]);
}

/** `<openssl rand -hex 32>` stands for what that prints. */
function printed(command: string): string {
  return execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim();
}

/** Services and middlewares that routers name and the block does not show. */
function whatIsMissing(tree: Tree): Tree {
  const written = (tree['http'] ?? {}) as Record<string, Record<string, Tree | null> | undefined>;
  const isNew = (kind: string, name: unknown): name is string =>
    typeof name === 'string' && !name.includes('@') && written[kind]?.[name] === undefined;
  const routers = Object.values(written['routers'] ?? {});
  const services = routers.map((one) => one?.['service']).filter((name) => isNew('services', name));
  const named = routers.flatMap((one) => (one?.['middlewares'] ?? []) as string[]);
  const middlewares = named.filter((name) => isNew('middlewares', name));
  const servers = [{ url: 'http://127.0.0.1:8000' }];
  const sections = {
    services: Object.fromEntries(services.map((name) => [name, { loadBalancer: { servers } }])),
    middlewares: Object.fromEntries(middlewares.map((name) => [name, { addPrefix: { prefix: '/x' } }])),
  };
  // An empty section would be a mistake.
  const http = Object.fromEntries(Object.entries(sections).filter(([, one]) => Object.keys(one).length > 0));
  return Object.keys(http).length > 0 ? { http } : {};
}

async function run(files: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const command = join(checkout, 'bin/portcullis');
  const env = { ...process.env, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(command, ['check', ...files], { cwd: dir, env, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}
