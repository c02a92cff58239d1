// `npm run new:middleware -- my-thing`: a middleware that works, with its tests and everything that is generated of it.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { findMiddleware } from '../src/proxy/middlewares/catalogue.ts';
import { goldenOf, type Names, sourceOf, testOf, withEntry } from './new-middleware/templates.ts';

const usage = `npm run new:middleware -- <name>

<name> in lower case with hyphens, such as my-thing; configurations will say myThing. Writes

  src/proxy/middlewares/<name>.ts                            sets a header; from there it is yours
  src/proxy/middlewares/catalogue.ts                         two lines: it is known
  test/unit/proxy/middlewares/<name>.test.ts                 the first three tests
  test/golden/cases/every-middleware-key/<name>.yml          each of its keys, for the tests that want them

and what is generated of these: ops/schema/, docs/configuration.md, the golden case's expected.json. Then it runs the
new tests. Refuses a name that is taken. When something fails, all is put back as it was.
`;

const root = fileURLToPath(new URL('../', import.meta.url));
const longestName = 40;
const cataloguePath = 'src/proxy/middlewares/catalogue.ts';
const goldenFolder = 'test/golden/cases/every-middleware-key';
const generated = ['ops/schema/static.json', 'ops/schema/dynamic.json', 'ops/schema/compose-labels.json'];
const reference = 'docs/configuration.md';

const commands = [
  'npm run --silent start -- schema --write ops/schema',
  `npm run --silent start -- schema --reference > ${reference}`,
  'UPDATE_GOLDEN=1 npm test -- golden',
];

const words = process.argv.slice(2);
if (words.includes('--help')) process.stdout.write(usage);
else if (words.length !== 1 || (words[0] ?? '').startsWith('-')) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else process.exitCode = create(words[0] as string);

function create(file: string): number {
  const kind = file.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const names: Names = { file, kind };
  const written: readonly (readonly [path: string, text: string])[] = [
    [`src/proxy/middlewares/${file}.ts`, sourceOf(names)],
    [`test/unit/proxy/middlewares/${file}.test.ts`, testOf(names)],
    [`${goldenFolder}/${file}.yml`, goldenOf(names)],
  ];
  const refusal = whyNot(
    names,
    written.map(([path]) => path),
  );
  if (refusal !== null) {
    console.error(`new:middleware: ${refusal}`);
    return 1;
  }
  const changed = [cataloguePath, `${goldenFolder}/expected.json`, ...generated, reference];
  const before = changed.map((path) => [path, read(path)] as const);
  for (const [path, text] of written) write(path, text);
  write(cataloguePath, withEntry(read(cataloguePath), names));
  const failure = generate() ?? tryOut(names);
  if (failure !== null) {
    for (const [path] of written) rmSync(join(root, path));
    for (const [path, text] of before) write(path, text);
    console.error(`new:middleware: ${failure}\nNothing was written.`);
    return 1;
  }
  console.log(`${kind} is there, and its tests pass.\n`);
  for (const [path] of written) console.log(`  new      ${path}`);
  for (const [path, text] of before) if (read(path) !== text) console.log(`  changed  ${path}`);
  console.log(`\nNext: make ${written[0]?.[0]} do what it is for. After every change of its schema:`);
  console.log(commands.map((command) => `  ${command}`).join('\n'));
  return 0;
}

function whyNot({ file, kind }: Names, paths: readonly string[]): string | null {
  if (!/^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(file) || file.length > longestName)
    return `${file}: expected lower case words with hyphens, such as my-thing, ${longestName} characters at most`;
  const found = findMiddleware(kind);
  if (found !== null) return `${kind} is there already (${found.kind}: ${found.summary})`;
  // A word of the language or of the catalogue itself cannot be the name of a constant there.
  if (!isFreeWord(kind)) return `${kind} is a word that means something else in ${cataloguePath}`;
  const taken = paths.filter((path) => existsSync(join(root, path)));
  return taken.length === 0 ? null : `there is already ${taken.join(', ')}`;
}

function isFreeWord(kind: string): boolean {
  try {
    new Script(`'use strict'; const ${kind} = 0;`);
  } catch {
    return false;
  }
  return !new RegExp(`\\b${kind}\\b`).test(read(cataloguePath));
}

/** The same as `commands`, without npm around each. */
function generate(): string | null {
  const schemas = node(['src/main.ts', 'schema', '--write', 'ops/schema']);
  if (schemas.status !== 0) return said(schemas);
  const pages = node(['src/main.ts', 'schema', '--reference']);
  if (pages.status !== 0) return said(pages);
  write(reference, pages.stdout);
  const pattern = '--test-name-pattern=every-middleware-key';
  const golden = node(['--test', pattern, 'test/golden/golden.test.ts'], { UPDATE_GOLDEN: '1' });
  return golden.status === 0 ? null : said(golden);
}

function tryOut({ file }: Names): string | null {
  const tests = [
    `test/unit/proxy/middlewares/${file}.test.ts`,
    'test/unit/proxy/middlewares/catalogue.test.ts',
  ];
  const run = node(['--test', ...tests, 'test/golden/every-key.test.ts']);
  return run.status === 0 ? null : said(run);
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    encoding: 'utf8',
    maxBuffer: 16_777_216,
    timeout: 120_000,
  });
}

function said({ stdout, stderr }: Ended): string {
  return `${stdout}${stderr}`.trim().slice(-4000);
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}
