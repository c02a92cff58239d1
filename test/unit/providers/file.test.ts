// The file provider on real directories: what a change brings, and what a mistake does not take away.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { comparePaths } from '../../../src/config/dynamic/merge.ts';
import type { ProviderConfig } from '../../../src/config/dynamic/provider-config.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { createFileProvider } from '../../../src/providers/file/file.ts';
import type { FileTarget } from '../../../src/providers/file/store.ts';
import { makeAuthority } from '../../support/pki.ts';

interface Started {
  readonly names: () => string;
  readonly codes: () => string[];
  readonly updates: () => number;
  readonly reload: () => void;
  until(what: string, check: () => boolean): Promise<void>;
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-file-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function start(
  t: TestContext,
  target: FileTarget,
  keys: { watch?: boolean; env?: NodeJS.ProcessEnv } = {},
): Started {
  let last: ProviderConfig | null = null;
  let diagnostics: Diagnostic[] = [];
  let updates = 0;
  const provider = createFileProvider({
    target,
    watch: keys.watch ?? true,
    env: keys.env ?? {},
    ruleSyntax: 'v3',
  });
  t.after(() => provider.close());
  provider.start(
    (update) => {
      last = update;
      updates += 1;
    },
    (found) => {
      diagnostics = found;
    },
  );
  const prefixes = () =>
    (last?.parts ?? []).flatMap(({ middlewares }) =>
      [...middlewares].map(([name, { value, errors }]) => {
        const prefix = (value.options as { prefix?: string } | null)?.prefix;
        return `${name}=${errors.length > 0 ? 'broken' : prefix}`;
      }),
    );
  const started: Started = {
    names: () => prefixes().join(' '),
    codes: () => diagnostics.map(({ code }) => code),
    updates: () => updates,
    reload: () => provider.reload(),
    // Well below the 5 s poll: it is the events that must have noticed.
    async until(what, check) {
      const deadline = Date.now() + 10_000;
      while (!check()) {
        if (Date.now() > deadline)
          assert.fail(`${what}: still ${started.names()} ${started.codes().join(' ')}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
  return started;
}

function prefix(name: string, value: string): string {
  return `http:\n  middlewares:\n    ${name}: { addPrefix: { prefix: ${value} } }\n`;
}

test('reads every yaml and toml file below a directory, in the order of their paths', (t) => {
  const dir = directory(t);
  mkdirSync(join(dir, 'sub/deep'), { recursive: true });
  writeFileSync(join(dir, 'b.yaml'), prefix('b', '/b'));
  writeFileSync(join(dir, 'a.toml'), '[http.middlewares.a.addPrefix]\nprefix = "/a"\n');
  writeFileSync(join(dir, 'sub/deep/c.yml'), prefix('c', '{{ env "C" }}'));
  writeFileSync(join(dir, 'notes.txt'), 'not: [read');
  const files = start(t, { directory: dir }, { watch: false, env: { C: '/c' } });
  assert.equal(files.names(), 'a=/a b=/b c=/c');
  assert.deepEqual(files.codes(), []);
});

test('a write in place, a new file, a rename and a deletion are each noticed', async (t) => {
  const dir = directory(t);
  writeFileSync(join(dir, 'a.yml'), prefix('a', '/1'));
  const files = start(t, { directory: dir });
  writeFileSync(join(dir, 'a.yml'), prefix('a', '/2'));
  await files.until('write', () => files.names() === 'a=/2');
  writeFileSync(join(dir, 'b.yml'), prefix('b', '/b'));
  await files.until('new file', () => files.names() === 'a=/2 b=/b');
  renameSync(join(dir, 'b.yml'), join(dir, 'c.yml'));
  writeFileSync(join(dir, 'c.yml'), prefix('c', '/c'));
  await files.until('rename', () => files.names() === 'a=/2 c=/c');
  unlinkSync(join(dir, 'a.yml'));
  await files.until('deletion', () => files.names() === 'c=/c');
});

test('an atomic replacement is noticed every time, not only the first', async (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.yml');
  writeFileSync(path, prefix('a', '/0'));
  for (const target of [{ filename: path }, { directory: dir }]) {
    const files = start(t, target);
    for (let turn = 1; turn <= 4; turn += 1) {
      writeFileSync(join(dir, '.a.yml.tmp'), prefix('a', `/${turn}`));
      renameSync(join(dir, '.a.yml.tmp'), path);
      await files.until(`turn ${turn}`, () => files.names() === `a=/${turn}`);
    }
  }
});

test('of two files that define one name the first of a walk through sorted directories wins', (t) => {
  const dir = directory(t);
  mkdirSync(join(dir, 'a'));
  const middleware = (prefix: string) => `http: {middlewares: {x: {addPrefix: {prefix: ${prefix}}}}}`;
  writeFileSync(join(dir, 'a-b.yml'), middleware('/third'));
  writeFileSync(join(dir, 'a.yml'), middleware('/second'));
  writeFileSync(join(dir, 'a', 'z.yml'), middleware('/first'));
  const { names } = start(t, { directory: dir }, { watch: false });
  assert.equal(names(), 'x=/first x=/third x=/second');
  assert.deepEqual(['a.yml', 'a-b.yml', 'a/z.yml'].sort(comparePaths), ['a/z.yml', 'a-b.yml', 'a.yml']);
});

test('a directory made later is watched, and files in it', async (t) => {
  const dir = directory(t);
  const files = start(t, { directory: dir });
  mkdirSync(join(dir, 'new/er'), { recursive: true });
  await new Promise((resolve) => setTimeout(resolve, 200));
  writeFileSync(join(dir, 'new/er/x.yml'), prefix('x', '/1'));
  await files.until('new directory', () => files.names() === 'x=/1');
  writeFileSync(join(dir, 'new/er/x.yml'), prefix('x', '/2'));
  await files.until('change in it', () => files.names() === 'x=/2');
  rmSync(join(dir, 'new'), { recursive: true });
  await files.until('removal', () => files.names() === '');
});

test('a volume swapped by its ..data link, as Kubernetes does, is noticed and read once', async (t) => {
  const dir = directory(t);
  const version = (name: string, value: string) => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'x.yml'), prefix('x', value));
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  version('..2026_01', '/1');
  symlinkSync('..data/x.yml', join(dir, 'x.yml'));
  const files = start(t, { directory: dir });
  assert.equal(files.names(), 'x=/1');
  version('..2026_02', '/2');
  await files.until('swap', () => files.names() === 'x=/2');
});

for (const [what, text] of [
  ['text that is no YAML', 'http: [\n'],
  ['an unknown key', 'http:\n  middlewares:\n    a: { addPrefix: { prefxi: /x } }\n'],
  ['a template that cannot run', 'http: {{ nope }}\n'],
  ['a rule that does not parse', 'http:\n  routers:\n    r: { rule: "Host(", service: noop@internal }\n'],
] as const) {
  test(`${what} keeps the last good content of that file only, and mending it recovers`, async (t) => {
    const dir = directory(t);
    writeFileSync(join(dir, 'a.yml'), prefix('a', '/1'));
    writeFileSync(join(dir, 'b.yml'), prefix('b', '/1'));
    const files = start(t, { directory: dir });
    writeFileSync(join(dir, 'a.yml'), text);
    await files.until('breaking', () => files.codes().includes('config.kept'));
    writeFileSync(join(dir, 'b.yml'), prefix('b', '/2'));
    await files.until('the neighbour', () => files.names() === 'a=/1 b=/2');
    writeFileSync(join(dir, 'a.yml'), prefix('a', '/3'));
    await files.until('mending', () => files.names() === 'a=/3 b=/2' && files.codes().length === 0);
  });
}

test('at the first load a file that cannot be parsed gives nothing, and a broken object only itself', (t) => {
  const dir = directory(t);
  writeFileSync(join(dir, 'a.yml'), 'http: [\n');
  writeFileSync(join(dir, 'b.yml'), `${prefix('b', '/b')}    bad: { addPrefix: { nope: 1 } }\n`);
  const files = start(t, { directory: dir }, { watch: false });
  assert.equal(files.names(), 'b=/b bad=broken');
});

test('what is not supported breaks its object at a reload, too, and lets the rest through', async (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.yml');
  writeFileSync(path, prefix('a', '/1'));
  const files = start(t, { filename: path });
  writeFileSync(path, `${prefix('a', '/2')}  serversTransports:\n    t: { spiffe: {} }\n`);
  await files.until('reload', () => files.names() === 'a=/2');
  assert.deepEqual(files.codes(), ['config.unsupported']);
});

test('a file emptied by an editor before it writes loses nothing, one that stays empty does', async (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.yml');
  writeFileSync(path, prefix('a', '/1'));
  const files = start(t, { directory: dir });
  const before = files.updates();
  writeFileSync(path, '');
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(files.names(), 'a=/1');
  assert.equal(files.updates(), before);
  await files.until('staying empty', () => files.names() === '');
});

test('a missing file is an error, and appearing later is noticed', async (t) => {
  const dir = directory(t);
  const path = join(dir, 'late.yml');
  const files = start(t, { filename: path });
  assert.deepEqual(files.codes(), ['config.unreadable']);
  writeFileSync(path, prefix('a', '/1'));
  await files.until('appearing', () => files.names() === 'a=/1' && files.codes().length === 0);
});

test('without watch only a reload reads again, and it reads the environment and certificates anew', (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.yml');
  const ca = join(dir, 'ca.pem');
  writeFileSync(path, `${prefix('a', '{{ env "P" }}')}  serversTransports:\n    t: { rootCAs: ["${ca}"] }\n`);
  const env: NodeJS.ProcessEnv = { P: '/1' };
  const files = start(t, { filename: path }, { watch: false, env });
  assert.deepEqual(files.codes(), ['config.pem']);
  env['P'] = '/2';
  writeFileSync(ca, makeAuthority().root);
  assert.equal(files.names(), 'a=/1');
  files.reload();
  assert.equal(files.names(), 'a=/2');
  assert.deepEqual(files.codes(), []);
});

test('a file of more than 8 MiB is refused', (t) => {
  const dir = directory(t);
  writeFileSync(join(dir, 'a.yml'), '#'.repeat(8 * 1024 * 1024 + 1));
  const files = start(t, { directory: dir }, { watch: false });
  assert.deepEqual(files.codes(), ['config.unreadable']);
});

test('of a file that was never sound the newest content counts, so that mending one of two mistakes shows', (t) => {
  const dir = directory(t);
  const path = join(dir, 'a.yml');
  writeFileSync(
    path,
    `${prefix('a', '/1')}    one: { addPrefix: { nope: 1 } }\n    two: { addPrefix: { nope: 1 } }\n`,
  );
  const files = start(t, { filename: path }, { watch: false });
  assert.equal(files.names(), 'a=/1 one=broken two=broken');
  writeFileSync(
    path,
    `${prefix('a', '/1')}    one: { addPrefix: { prefix: /x } }\n    two: { addPrefix: { nope: 1 } }\n`,
  );
  files.reload();
  assert.equal(files.names(), 'a=/1 one=/x two=broken');
});
