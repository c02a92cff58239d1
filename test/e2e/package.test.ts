// What is published: packed, installed with npm into an empty folder, and run there.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePorts } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import {
  installPackage,
  type Packed,
  packCheckout,
  type Ran,
  runAsUser,
  systemNode,
  userEnv,
} from '../support/package.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Bytes. About half more than it was when this was written. */
const maxTarball = 1_000_000;
const maxUnpacked = 4_000_000;

let dir = '';
let packed: Packed;
let installed: Ran;
/** Where users would be: an empty folder with the package in it. */
let home = '';

before(() => {
  dir = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-package-'));
  packed = packCheckout(dir);
  home = join(dir, 'home');
  const system = systemNode();
  if (system === null || system.major >= 24) {
    const found = system === null ? 'no Node' : `Node ${system.major}`;
    console.log(`\n!! NOT TESTED: an older Node as npm's own. Outside of node_modules there is ${found}.\n`);
  }
  installed = installPackage(home, packed.tarball);
});

after(() => rmSync(dir, { recursive: true, force: true }));

test('the tarball holds what is run and read, no source and no test', () => {
  const paths = packed.files.map((file) => file.path);
  const tops = [...new Set(paths.map((path) => path.split('/')[0] ?? ''))].sort();
  assert.deepEqual(tops, [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'docs',
    'grafana',
    'ops',
    'package.json',
  ]);
  const expected =
    /^(bin\/(portcullis|postinstall\.js)|dist\/dashboard\/[\w./-]+\.(js|css|html|svg)|dist\/[\w./-]+\.js|docs\/[\w-]+\.md|ops\/(keepalived|logrotate|prometheus|schema|systemd)\/[\w./-]+|ops\/sysctl\.conf|grafana\/(dashboards|provisioning)\/[\w./-]+\.(json|yml))$/;
  const types = paths.filter((path) => path.endsWith('.ts'));
  assert.deepEqual(types.sort(), [
    'dist/proxy/headers.d.ts',
    'dist/proxy/middlewares/fields.d.ts',
    'dist/proxy/middlewares/plugin/api.d.ts',
    'dist/proxy/middlewares/plugin/kit.d.ts',
  ]);
  const strange = paths.filter((path) => path.includes('/') && !types.includes(path) && !expected.test(path));
  assert.deepEqual(strange, []);
  for (const path of ['dist/main.js', 'dist/dashboard/index.html', 'ops/schema/dynamic.json', 'docs/tls.md'])
    assert.ok(paths.includes(path), path);
  assert.equal((packed.files.find((file) => file.path === 'bin/portcullis')?.mode ?? 0) & 0o111, 0o111);
});

test(`the tarball has at most ${maxTarball / 1e6} MB, ${maxUnpacked / 1e6} MB unpacked`, () => {
  assert.ok(packed.size <= maxTarball, String(packed.size));
  assert.ok(packed.unpackedSize <= maxUnpacked, String(packed.unpackedSize));
});

test('npm installs it, with whatever Node the system has, and what runs is Node 24', () => {
  assert.equal(installed.code, 0, installed.output);
  const { code, output } = runAsUser(home, 'npx', ['--no-install', 'portcullis', 'version']);
  assert.equal(code, 0, output);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.ok(output.includes(`Version:  ${version}\n`), output);
  assert.match(output, /^Node: +v24\./m);
  const system = systemNode();
  if (system !== null)
    assert.match(runAsUser(home, 'node', ['--version']).output, new RegExp(`^v${system.major}\\.`));
});

test('nothing of the machine it was built on is in it', () => {
  const found = packed.files
    .filter(({ path }) => readFileSync(join(home, 'node_modules/portcullis', path), 'utf8').includes(dir))
    .map(({ path }) => path);
  assert.deepEqual(found, []);
});

test('the installed command checks a configuration', () => {
  writeFileSync(
    join(home, 'good.yml'),
    'http: { routers: { r: { rule: Host(`a`), service: noop@internal } } }\n',
  );
  writeFileSync(
    join(home, 'bad.yml'),
    'http: { routers: { r: { rul: Host(`a`), service: noop@internal } } }\n',
  );
  const good = portcullis('check', '--providers.file.filename=good.yml');
  assert.equal(good.code, 0, good.output);
  const bad = portcullis('check', '--providers.file.filename=bad.yml');
  assert.equal(bad.code, 1, bad.output);
  assert.match(bad.output, /bad\.yml:1:/);
});

test('an addon that no install script has prepared is prepared when it is first needed', () => {
  rmSync(join(home, 'node_modules/.cache/portcullis'), { recursive: true, force: true });
  const { output } = portcullis('doctor');
  assert.match(output, /uWebSockets\.js.* loads/);
});

test('a plugin is checked against the types of the package', () => {
  writeFileSync(join(home, 'greeter.ts'), documentedPlugin());
  const good = compile('greeter.ts');
  assert.equal(good.code, 0, good.output);

  const wrong = documentedPlugin().replace("x.path === '/hello'", 'x.paht === 1').replace('CONTINUE;', '7;');
  writeFileSync(join(home, 'wrong.ts'), wrong);
  const bad = compile('wrong.ts');
  assert.notEqual(bad.code, 0);
  assert.match(bad.output, /'paht' does not exist on type 'Exchange'/);
  assert.match(bad.output, /Type '7' is not assignable|'7'/);
});

test('the installed gateway serves a request through a plugin, shows the dashboard and ends with 0', async () => {
  const origin = await startOrigin({ name: 'behind' });
  const [web = 0, admin = 0] = await freePorts(2);
  writeFileSync(
    join(home, 'static.yml'),
    `entryPoints: { web: { address: '127.0.0.1:${web}' }, traefik: { address: '127.0.0.1:${admin}' } }
providers: { file: { filename: dynamic.yml } }
api: { insecure: true, dashboard: true }
plugins: { greeter: { module: ./greeter.ts } }
`,
  );
  writeFileSync(
    join(home, 'dynamic.yml'),
    `http:
  routers: { all: { rule: PathPrefix(\`/\`), entryPoints: [web], middlewares: [hi], service: it } }
  middlewares: { hi: { plugin: { greeter: { greeting: Moin } } } }
  services: { it: { loadBalancer: { servers: [{ url: '${origin.url}' }] } } }
`,
  );
  const gateway = spawn('node_modules/.bin/portcullis', ['--configFile=static.yml', '--workers=1'], {
    cwd: home,
    env: userEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const said = collect(gateway);
    await eventually('an answer', () => isServed(`http://127.0.0.1:${web}/`), 30_000).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${said()}`);
      },
    );
    // No launcher stays: what was started is the gateway.
    const program = readlinkSync(`/proc/${gateway.pid}/exe`);
    assert.match(program, /node_modules\/node-linux-\w+\/bin\/node$/);

    const through = await fetch(`http://127.0.0.1:${web}/x`);
    assert.equal(await through.text(), 'behind');
    assert.equal(through.headers.get('x-greeting'), 'Moin');
    assert.equal(origin.requests.at(-1)?.headers['x-greeter'], 'hi@file');
    assert.equal(await (await fetch(`http://127.0.0.1:${web}/hello`)).text(), 'Moin\n');

    const page = await fetch(`http://127.0.0.1:${admin}/dashboard/`);
    assert.equal(page.status, 200);
    const script = /src="\.?\/?([^"]+\.js)"/.exec(await page.text())?.[1] ?? '';
    assert.equal((await fetch(`http://127.0.0.1:${admin}/dashboard/${script}`)).status, 200);

    const exited = new Promise<number | null>((resolve) => gateway.once('exit', resolve));
    gateway.kill('SIGTERM');
    assert.equal(await exited, 0, said());
    assert.doesNotMatch(said(), /Warning/);
  } finally {
    gateway.kill('SIGKILL');
    await origin.stop();
  }
});

function portcullis(...args: readonly string[]): Ran {
  return runAsUser(home, join(home, 'node_modules/.bin/portcullis'), args);
}

/** The example that the documentation begins with. */
function documentedPlugin(): string {
  const text = readFileSync(join(home, 'node_modules/portcullis/docs/writing-a-middleware.md'), 'utf8');
  return /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
}

/** With types of nothing but the package, which are looked into as well. */
function compile(file: string): Ran {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  assert.ok(existsSync(tsc));
  const how = '--strict --noEmit --module nodenext --target es2024 --skipLibCheck false --types';
  return runAsUser(home, process.execPath, [tsc, ...how.split(' '), '', file]);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part) => (text += part));
  return () => text;
}

async function isServed(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}
