// The first half hour of a contributor, in a copy of the checkout: `npm run dev`, and a new middleware.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const copied = ['package.json', 'tsconfig.json', 'bin', 'src', 'ops', 'docs', 'grafana', 'bench', 'test'];

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

describe('a contributor', { timeout: 300_000 }, () => {
  let copy: string;

  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'portcullis-contributor-'));
    for (const name of copied) cpSync(join(checkout, name), join(copy, name), { recursive: true });
    symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'));
  });
  after(() => rmSync(copy, { recursive: true, force: true, maxRetries: 3 }));

  test('sees the demo start again when a source is saved, and wait when it is broken', async () => {
    const dev = spawn(process.execPath, ['ops/dev.ts'], {
      cwd: copy,
      env: { ...process.env, DEMO_PORT: '0', DEMO_API_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [dev.stdout, dev.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const until = async (text: string, from: number): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!said.slice(from).includes(text)) {
        assert.ok(performance.now() < deadline && dev.exitCode === null, `${text} was not said:\n${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const source = join(copy, 'src/proxy/errors.ts');
    try {
      await until('Ctrl-C stops everything', 0);
      let from = said.length;
      appendFileSync(source, '\n');
      await until('up again: http', from);
      assert.match(said.slice(from), /changed: src\/proxy\/errors\.ts\n[\s\S]*everything is stopped/);
      from = said.length;
      appendFileSync(source, 'const = 3;\n');
      await until('waiting for a change', from);
      assert.match(said.slice(from), /Unexpected token/);
    } finally {
      cpSync(join(checkout, 'src/proxy/errors.ts'), source);
      const exited = new Promise((resolve) => dev.once('close', resolve));
      dev.kill('SIGTERM');
      assert.equal(await exited, 0);
    }
  });

  test('has a middleware with tests that pass from one command', () => {
    const made = create('my-thing');
    assert.equal(made.status, 0, made.said);
    assert.match(made.said, /myThing is there, and its tests pass/);
    for (const path of [
      'src/proxy/middlewares/my-thing.ts',
      'src/proxy/middlewares/catalogue.ts',
      'test/unit/proxy/middlewares/my-thing.test.ts',
      'test/golden/cases/every-middleware-key/my-thing.yml',
      'test/golden/cases/every-middleware-key/expected.json',
      'ops/schema/dynamic.json',
      'docs/configuration.md',
    ]) {
      assert.ok(made.said.includes(path), path);
      assert.ok(readFileSync(join(copy, path), 'utf8').includes('myThing'), path);
    }

    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(checkout, 'CONTRIBUTING.md'), 'utf8'))?.[1];
    const written = readFileSync(join(copy, 'src/proxy/middlewares/my-thing.ts'), 'utf8');
    assert.equal(
      example?.replace(/^ {3}/gm, '').trim(),
      written.trim(),
      'CONTRIBUTING.md shows what is written',
    );
  });

  test('may choose what comes first in the list, and what comes last', () => {
    for (const name of ['aardvark', 'zebra']) {
      const made = create(name);
      assert.equal(made.status, 0, made.said);
    }
  });

  test('is refused a name that is taken, reserved or badly spelled, and nothing is written', () => {
    const before = readFileSync(join(copy, 'src/proxy/middlewares/catalogue.ts'), 'utf8');
    const refused: readonly (readonly [string, RegExp])[] = [
      ['headers', /headers is there already/],
      ['ip-white-list', /ipWhiteList is there already \(ipAllowList/],
      ['catalogue', /means something else/],
      ['delete', /means something else/],
      ['define', /there is already|means something else/],
      ['My_Thing', /expected lower case words/],
      ['../../evil', /expected lower case words/],
      ['x'.repeat(41), /40 characters at most/],
    ];
    for (const [name, says] of refused) {
      const made = create(name);
      assert.equal(made.status, 1, name);
      assert.match(made.said, says);
    }
    assert.equal(readFileSync(join(copy, 'src/proxy/middlewares/catalogue.ts'), 'utf8'), before);
    assert.ok(!existsSync(join(copy, 'src/proxy/middlewares/catalogue.test.ts')));
    assert.equal(create().status, 2);
    assert.match(create('--help').said, /npm run new:middleware -- <name>/);
  });

  test('finds everything as it was when the new tests fail', () => {
    const reference = readFileSync(join(copy, 'docs/configuration.md'), 'utf8');
    const workbench = join(copy, 'test/unit/proxy/middlewares/workbench.ts');
    const whole = readFileSync(workbench, 'utf8');
    appendFileSync(workbench, '\nthrow new Error("broken meanwhile");\n');
    const made = create('late-thing');
    assert.equal(made.status, 1);
    assert.match(made.said, /broken meanwhile[\s\S]*Nothing was written/);
    assert.equal(readFileSync(join(copy, 'docs/configuration.md'), 'utf8'), reference);
    assert.ok(!existsSync(join(copy, 'src/proxy/middlewares/late-thing.ts')));
    rmSync(workbench);
    appendFileSync(workbench, whole);
  });

  function create(...words: readonly string[]): Ended {
    const args = ['--disable-warning=ExperimentalWarning', 'ops/new-middleware.ts', ...words];
    const ended = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 120_000 });
    return { status: ended.status, said: ended.stdout + ended.stderr };
  }
});
