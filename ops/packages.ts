// `npm run packages`: every package that is installed, to `docs/packages.md`, and what is wrong with any of them.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** An entry of `package-lock.json`, or a `package.json`. */
interface Entry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

type Lock = ReadonlyMap<string, Entry>;

/** What asks no more of a user than to be named. */
const permissive = new Set(
  'MIT ISC Apache-2.0 BSD-2-Clause BSD-3-Clause 0BSD BlueOak-1.0.0 Zlib Unlicense CC0-1.0 Python-2.0'.split(
    ' ',
  ),
);
/** Asks that changes to its own files be published: nothing of it is shipped. */
const forBuilding = new Set(['MPL-2.0']);
const installScripts = ['preinstall', 'install', 'postinstall'];

/** The document, by the lock file; the reasons of direct packages stand in `docs/dependencies.md`. */
export function packagesText(root: string): string {
  const lock = readLock(root);
  const wanting = whoWants(lock);
  const reasons = readReasons(root);
  const section = (isDev: boolean): string => {
    const paths = [...lock.keys()].filter((path) => path !== '' && (lock.get(path)?.dev === true) === isDev);
    const rows = paths
      .filter((path) => !isForPlatform(lock, path))
      .map((path) => row(path, lock, wanting, reasons));
    const builds = paths.filter((path) => isForPlatform(lock, path));
    const head = '| package | version | licence | wanted by | why |\n| --- | --- | --- | --- | --- |\n';
    const count = `${new Set(paths.map(nameOf)).size} names, ${paths.length} packages.`;
    return `${count}\n\n${head}${[...rows, ...platformRows(builds, lock, wanting)].sort().join('\n')}\n`;
  };
  return `# Packages

Written by \`npm run packages\` from \`package-lock.json\`; a test says when it is not up to date, when a package has a licence that is not permissive, no integrity hash, an install script, or when one is asked for by anything but an exact version. What each direct package is for, and why it was taken, is in [dependencies](dependencies.md).

A build for a platform that neither the gateway nor its image runs on has no hash in the lock file, and is installed nowhere else: only optional packages for development are such.

## In production

${section(false)}
## For development

Not in the package and not in the image.

${section(true)}`;
}

/** One line for each thing that is wrong. */
export function packageProblems(root: string): string[] {
  const lock = readLock(root);
  const problems: string[] = [];
  const own = lock.get('') ?? {};
  for (const [name, range] of Object.entries({
    ...own.dependencies,
    ...own.devDependencies,
    ...own.optionalDependencies,
  }))
    if (!/^(?:npm:.+@)?\d+\.\d+\.\d+$/.test(range))
      problems.push(`${name} is asked for as ${range}: no exact version`);
  for (const [path, entry] of lock) {
    if (path === '') continue;
    const name = `${nameOf(path)} ${entry.version}`;
    const isUnused = entry.dev === true && entry.optional === true && isElsewhere(entry);
    if (entry.integrity === undefined && !isUnused) problems.push(`${name} has no integrity hash`);
    if (entry.hasInstallScript === true) problems.push(`${name} has an install script`);
    // Of a build for somewhere else the lock file knows no licence: it is that of the package that wants it.
    if (!(entry.license === undefined && isUnused) && !isAllowed(entry.license ?? '', entry.dev === true))
      problems.push(`${name} has the licence ${entry.license ?? 'none'}`);
    problems.push(...installedProblems(join(root, path, 'package.json'), name, entry));
  }
  return problems;
}

function readLock(root: string): Lock {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, Entry>> };
  return new Map(Object.entries(packages));
}

/** What lies in `node_modules` is what the lock file says, and has no script that npm would run. */
function installedProblems(file: string, name: string, entry: Entry): string[] {
  if (!existsSync(file)) return [];
  const found = JSON.parse(readFileSync(file, 'utf8')) as Entry;
  const problems: string[] = [];
  if (found.version?.replace(/^v/, '') !== entry.version)
    problems.push(`${name} is installed as ${found.version}`);
  const script = installScripts.find((one) => found.scripts?.[one] !== undefined);
  if (script !== undefined) problems.push(`${name} has an install script: ${script}`);
  return problems;
}

/** Of an expression as in SPDX: one of what `OR` offers, all of what `AND` joins. */
function isAllowed(license: string, isDev: boolean): boolean {
  const isFine = (one: string): boolean => permissive.has(one) || (isDev && forBuilding.has(one));
  return license
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => isFine(one.trim())));
}

/** Dependents of each entry, as paths; `` is this project. */
function whoWants(lock: Lock): ReadonlyMap<string, readonly string[]> {
  const wanting = new Map<string, string[]>();
  for (const [path, entry] of lock) {
    const own = path === '' ? entry.devDependencies : {};
    const names = { ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies, ...own };
    for (const name of Object.keys(names)) {
      const found = resolveFrom(path, name, lock);
      if (found !== null) wanting.set(found, [...(wanting.get(found) ?? []), path]);
    }
  }
  return wanting;
}

/** As Node looks for a package: in its own `node_modules`, then in every one above. */
function resolveFrom(path: string, name: string, lock: Lock): string | null {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const candidate = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (lock.has(candidate)) return candidate;
    if (folder === '') return null;
  }
}

type Wanting = ReadonlyMap<string, readonly string[]>;

function row(path: string, lock: Lock, wanting: Wanting, reasons: ReadonlyMap<string, string>): string {
  const entry = lock.get(path) ?? {};
  const by = wanting.get(path) ?? [];
  const name = nameOf(path);
  const isDirect = by.includes('') && path === `node_modules/${name}`;
  const names = [...new Set(by.filter((one) => one !== '').map((one) => `\`${nameOf(one)}\``))].sort();
  const wanted = isDirect ? ['the gateway', ...names] : names;
  const why = isDirect ? (reasons.get(name) ?? '') : `comes with ${directOf(path, wanting).join(', ')}`;
  return `| \`${name}\` | ${entry.version} | ${entry.license ?? ''} | ${wanted.join(', ')} | ${why} |`;
}

/** The packages of this project that one comes with. */
function directOf(path: string, wanting: Wanting): string[] {
  const seen = new Set([path]);
  // A Set's loop also visits what is added meanwhile.
  for (const one of seen) for (const by of wanting.get(one) ?? []) if (by !== '') seen.add(by);
  const direct = [...seen].filter((one) => one !== path && (wanting.get(one) ?? []).includes(''));
  return direct.map((one) => `\`${nameOf(one)}\``).sort();
}

/** Builds of one package for one platform each, in one row. */
function platformRows(paths: readonly string[], lock: Lock, wanting: Wanting): string[] {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const key = (wanting.get(path) ?? []).join(' ');
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  return [...groups.values()].map((group) => {
    const entry = group.map((path) => lock.get(path)).find((one) => one?.license !== undefined);
    const names = group.map(nameOf).sort();
    const start = commonStart(names);
    const shown = names.length === 1 ? `\`${start}\`` : `\`${start}*\``;
    const by = (wanting.get(group[0] ?? '') ?? []).map((path) =>
      path === '' ? 'the gateway' : `\`${nameOf(path)}\``,
    );
    const why =
      names.length === 1
        ? 'a build for one platform'
        : `builds for ${names.length} platforms, one is installed`;
    return `| ${shown} | ${entry?.version ?? ''} | ${entry?.license ?? ''} | ${by.join(', ')} | ${why} |`;
  });
}

function commonStart(names: readonly string[]): string {
  const [first = ''] = names;
  let length = first.length;
  while (!names.every((name) => name.startsWith(first.slice(0, length)))) length -= 1;
  return first.slice(0, length);
}

function isForPlatform(lock: Lock, path: string): boolean {
  const { os, cpu, optional } = lock.get(path) ?? {};
  return optional === true && (os !== undefined || cpu !== undefined);
}

/** Not for Linux with glibc on x64 or arm64. */
function isElsewhere({ os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: Entry): boolean {
  const isMusl = libc.every((one) => one !== 'glibc');
  return !os.includes('linux') || isMusl || !cpu.some((one) => one === 'x64' || one === 'arm64');
}

/** `what for` of the tables, by package. */
function readReasons(root: string): ReadonlyMap<string, string> {
  const file = join(root, 'docs/dependencies.md');
  if (!existsSync(file)) return new Map();
  const reasons = new Map<string, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const names = [...(cells[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    // At run time there is a column for the door.
    const why = cells.length > 6 ? cells[4] : cells[3];
    for (const name of names) {
      reasons.set(name, why ?? '');
      const [first = ''] = names;
      // Short for others of the same scope.
      if (!name.includes('/') && first.startsWith('@'))
        reasons.set(`${first.split('/')[0]}/${name}`, why ?? '');
    }
  }
  return reasons;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  writeFileSync(join(root, 'docs/packages.md'), packagesText(root));
  const problems = packageProblems(root);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
