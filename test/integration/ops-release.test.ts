// A release, in a repository of its own: what it refuses, and what it leaves behind.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isGreater, isVersion, replaceVersion } from '../../ops/release/version.ts';

const program = fileURLToPath(new URL('../../ops/release.ts', import.meta.url));

interface Repository {
  readonly dir: string;
  git(...args: readonly string[]): string;
  read(name: string): string;
  /** Writes and commits. */
  commit(files: Readonly<Record<string, string>>): void;
  release(...args: readonly string[]): { readonly code: number | null; readonly output: string };
}

const changelog = '# Changelog\n\n## Unreleased\n\n- Something.\n\n## 0.1.0, 2026-01-01\n\n- The first.\n';

test('a release commits, tags and packs, and pushes nothing', (context) => {
  const repository = create(context);
  const { code, output } = repository.release('0.2.0');
  assert.equal(code, 0, output);
  assert.equal((JSON.parse(repository.read('package.json')) as { version: string }).version, '0.2.0');
  const lock = JSON.parse(repository.read('package-lock.json')) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  assert.deepEqual([lock.version, lock.packages['']?.version], ['0.2.0', '0.2.0']);
  assert.equal(lock.packages['node_modules/other']?.version, '0.1.0');
  const today = new Date().toISOString().slice(0, 10);
  assert.ok(
    repository
      .read('CHANGELOG.md')
      .startsWith(`# Changelog\n\n## Unreleased\n\n## 0.2.0, ${today}\n\n- Something.\n\n## 0.1.0`),
  );
  assert.equal(repository.git('log', '-1', '--format=%s'), 'Release 0.2.0');
  assert.equal(repository.git('status', '--porcelain'), '');
  assert.equal(repository.git('rev-parse', 'v0.2.0^{commit}'), repository.git('rev-parse', 'HEAD'));
  assert.ok(existsSync(join(repository.dir, '.tmp/release/gate-0.2.0.tgz')));
  assert.match(output, /git push origin main v0\.2\.0/);
  assert.match(output, /npm publish \.tmp\/release\/gate-0\.2\.0\.tgz/);
  assert.match(output, /sha256 [0-9a-f]{64}/);
});

test('a dry run writes nothing', (context) => {
  const repository = create(context);
  const { code, output } = repository.release('0.2.0', '--dry-run');
  assert.equal(code, 0, output);
  assert.match(output, /would be committed/);
  assert.equal(repository.git('log', '--format=%s'), 'Begin');
  assert.equal(repository.git('tag'), '');
  assert.equal(repository.git('status', '--porcelain'), '');
});

test('a release refuses a tree with changes', (context) => {
  const repository = create(context);
  writeFileSync(join(repository.dir, 'new.txt'), 'x');
  refuses(repository, '0.2.0', /changes that are not committed/);
});

test('a release refuses another branch', (context) => {
  const repository = create(context);
  repository.git('checkout', '-q', '-b', 'side');
  refuses(repository, '0.2.0', /the branch is side/);
});

test('a release refuses a tag that exists', (context) => {
  const repository = create(context);
  repository.git('tag', 'v0.2.0');
  const { code, output } = repository.release('0.2.0');
  assert.equal(code, 1);
  assert.match(output, /the tag v0\.2\.0 exists/);
  assert.equal(repository.git('log', '--format=%s'), 'Begin');
});

test('a release refuses a version that is not greater, or none', (context) => {
  const repository = create(context);
  refuses(repository, '0.1.0', /0\.1\.0 is not greater than 0\.1\.0/);
  refuses(repository, '0.0.9', /not greater/);
  refuses(repository, '0.1.0-rc.1', /not greater/);
  refuses(repository, '2', /"2" is no version/);
  refuses(repository, 'v0.2.0', /is no version/);
});

test('a release refuses a changelog that says nothing, and one that has the version', (context) => {
  const repository = create(context);
  repository.commit({ 'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- The first.\n' });
  refuses(repository, '0.2.0', /nothing under "## Unreleased"/);
  repository.commit({ 'CHANGELOG.md': '# Changelog\n' });
  refuses(repository, '0.2.0', /nothing under "## Unreleased"/);
  repository.commit({ 'CHANGELOG.md': `${changelog}\n## 0.2.0, 2026-02-02\n` });
  refuses(repository, '0.2.0', /has a section for 0\.2\.0 already/);
});

test('a release refuses what the checks or the tests find', (context) => {
  const repository = create(context);
  repository.commit({ 'package.json': packageJson({ check: 'exit 1' }) });
  refuses(repository, '0.2.0', /npm run check fails/);
  repository.commit({ 'package.json': packageJson({ test: 'exit 1' }) });
  refuses(repository, '0.2.0', /npm run test fails/);
  repository.commit({ 'package.json': packageJson({ test: 'echo > left.txt' }) });
  const { code, output } = repository.release('0.2.0');
  assert.equal(code, 1);
  assert.match(output, /has changed the tree/);
});

test('a release that cannot be packed leaves everything as it was', (context) => {
  const repository = create(context);
  repository.commit({ 'package.json': packageJson({ prepack: 'exit 1' }) });
  refuses(repository, '0.2.0', /npm pack fails; nothing has changed/);
});

test('a release says all that is wrong at once, and how it is used', (context) => {
  const repository = create(context);
  repository.git('checkout', '-q', '-b', 'side');
  writeFileSync(join(repository.dir, 'new.txt'), 'x');
  const { output } = repository.release('0.1.0');
  assert.match(output, /not greater[^]*not committed[^]*the branch is side/);
  assert.deepEqual([repository.release().code, repository.release('1.0.0', '--force').code], [2, 2]);
  const help = repository.release('--help');
  assert.equal(help.code, 0);
  assert.match(help.output, /--dry-run/);
});

test('versions are ordered as semver orders them', () => {
  const ordered = [
    '0.9.9',
    '0.10.0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-rc.2',
    '1.0.0-rc.10',
    '1.0.0',
  ];
  for (let i = 1; i < ordered.length; i += 1) {
    const [less, more] = [ordered[i - 1] as string, ordered[i] as string];
    assert.ok(isGreater(more, less), `${more} > ${less}`);
    assert.ok(!isGreater(less, more), `${less} < ${more}`);
    assert.ok(!isGreater(more, more));
  }
  for (const wrong of ['1.2', '01.2.3', '1.2.3-', '1.2.3-01', '1.2.3+x', '1.2.3\n', ' 1.2.3'])
    assert.ok(!isVersion(wrong), JSON.stringify(wrong));
  for (const right of [...ordered, '1.0.0-0', '1.0.0-0a', '1.0.0-x-y.1']) assert.ok(isVersion(right), right);
});

test('a version that is not where it should be is left alone', () => {
  assert.throws(() => replaceVersion('"version": "3.0.0"', '1.0.0', '2.0.0', 1), /found the version 3\.0\.0/);
  assert.throws(() => replaceVersion('"version": "1.0.0"', '1.0.0', '2.0.0', 2), /not found 2 times/);
});

function refuses(repository: Repository, version: string, why: RegExp): void {
  const before = [repository.git('rev-parse', 'HEAD'), repository.git('status', '--porcelain')];
  const { code, output } = repository.release(version);
  assert.equal(code, 1, output);
  assert.match(output, why);
  assert.deepEqual([repository.git('rev-parse', 'HEAD'), repository.git('status', '--porcelain')], before);
  assert.equal(repository.git('tag'), '');
}

function packageJson(scripts: Readonly<Record<string, string>> = {}): string {
  const all = { check: 'true', test: 'true', ...scripts };
  return `${JSON.stringify({ name: 'gate', version: '0.1.0', scripts: all }, null, 2)}\n`;
}

function create(context: TestContext): Repository {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-release-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  const env = withoutNpm();
  const run = (command: string, args: readonly string[]): { code: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: dir,
      env,
      encoding: 'utf8',
      timeout: 50_000,
    });
    return { code: status, output: `${stdout}${stderr}` };
  };
  const git = (...args: readonly string[]): string => {
    const { code, output } = run('git', args);
    assert.equal(code, 0, output);
    return output.trim();
  };
  const commit = (files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    git('add', '--all');
    git('commit', '-q', '-m', 'Begin');
  };
  git('init', '-q', '-b', 'main');
  const lock = {
    name: 'gate',
    version: '0.1.0',
    lockfileVersion: 3,
    packages: { '': { name: 'gate', version: '0.1.0' }, 'node_modules/other': { version: '0.1.0' } },
  };
  commit({
    'package.json': packageJson(),
    'package-lock.json': `${JSON.stringify(lock, null, 2)}\n`,
    'CHANGELOG.md': changelog,
    '.gitignore': '.tmp/\n',
  });
  return {
    dir,
    git,
    commit,
    read: (name) => readFileSync(join(dir, name), 'utf8'),
    release: (...args) => run(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args]),
  };
}

/** Of an npm script around this test nothing may reach the one within; git gets a name of its own. */
function withoutNpm(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const who = { NAME: 'Test', EMAIL: 'test@example.com' };
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_|GIT_)/.test(name))),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  };
}
