// `npm run build`: what is shipped, to `dist/`. Every file lies as deep as its source, so that paths relative to it
// (`../package.json`, `../node_modules/.cache`) mean the same in both; the dashboard's folder is beside them.

import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
/** What plugins import: the only file whose types are shipped, and what those name. */
const plugin = 'proxy/middlewares/plugin/kit.d.ts';

clear();
// Comments stay out: Node keeps the text of every loaded file, in every worker.
compile('tsconfig.build.json');
renameOwnFiles();
shipTypes();
run('src/dashboard/build.ts');
console.log(`portcullis: built ${globSync('**/*.js', { cwd: dist }).length} files to dist/`);

/** All but the dashboard, which its own build replaces: no file of an earlier build is left. */
function clear(): void {
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist))
    if (name !== 'dashboard') rmSync(join(dist, name), { recursive: true });
}

function compile(project: string): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  run(join(dirname(tsc), 'bin/tsc'), '-p', project);
}

/** tsc gives imports their new ending; this does so to files that are named by `new URL`: worker, thread, kit. */
function renameOwnFiles(): void {
  const named = /(new URL\('\.{1,2}\/[^']+)\.ts(', import\.meta\.url\))/g;
  for (const name of globSync('**/*.js', { cwd: dist, exclude: ['dashboard/**'] })) {
    const file = join(dist, name);
    const text = readFileSync(file, 'utf8');
    const renamed = text.replaceAll(named, '$1.js$2');
    if (renamed !== text) writeFileSync(file, renamed);
    if (/['"`]\.{1,2}\/[^'"`\n]*\.ts['"`]/.test(renamed)) fail(`${name} names a source that is not shipped`);
  }
}

function shipTypes(): void {
  const types = join(root, '.tmp/plugin-types');
  rmSync(types, { recursive: true, force: true });
  compile('tsconfig.plugin.json');
  for (const file of reachable(join(types, plugin))) {
    const target = join(dist, relative(types, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
  rmSync(types, { recursive: true });
}

/** The declarations that `first` needs, itself among them. A Set's loop also visits what is added meanwhile. */
function reachable(first: string): ReadonlySet<string> {
  const files = new Set([first]);
  for (const file of files)
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)\.ts'/g))
      files.add(resolve(dirname(file), `${path}.d.ts`));
  return files;
}

function run(...args: readonly string[]): void {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(error?.message ?? `${args.join(' ')} failed`);
}

function fail(message: string): never {
  console.error(`build: ${message}`);
  process.exit(1);
}
