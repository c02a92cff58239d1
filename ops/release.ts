// `npm run release -- 0.2.0`: from a clean, tested tree to a commit, a tag and a tarball. Sends nothing anywhere: it
// ends with the commands that would.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeSection, hasSection, unreleased } from './release/changelog.ts';
import { isGreater, isVersion, replaceVersion } from './release/version.ts';

interface Release {
  readonly name: string;
  readonly old: string;
  readonly version: string;
  readonly tag: string;
}

const help = `npm run release -- <version> [--dry-run]

Refuses: a version that is none or not greater, a tree with changes, another branch than main, a tag that exists, a
changelog with nothing under "## Unreleased", and what \`npm run check\` or \`npm test\` finds. Then it writes the
version into package.json, package-lock.json and CHANGELOG.md, packs .tmp/release/<name>-<version>.tgz, commits and
tags. It does not push and does not publish: it prints how.

  --dry-run   says everything that would be refused, and writes nothing
`;
const branch = 'main';
/** Written by a release, and put back when it fails. */
const written = ['package.json', 'package-lock.json', 'CHANGELOG.md'];
const folder = '.tmp/release';

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith('-'));
const versions = words.filter((word) => !word.startsWith('-'));
const isDry = flags.includes('--dry-run');
if (flags.includes('--help')) {
  process.stdout.write(help);
} else if (versions.length !== 1 || flags.some((flag) => flag !== '--dry-run')) {
  process.stderr.write(help);
  process.exitCode = 2;
} else {
  process.exitCode = release(versions[0] as string);
}

function release(version: string): number {
  const { name, version: old } = JSON.parse(read('package.json')) as { name: string; version: string };
  const planned: Release = { name, old, version, tag: `v${version}` };
  const refusals = whyNot(planned);
  for (const refusal of refusals) console.error(`release: ${refusal}`);
  // The tests take minutes: they only decide what nothing else has decided.
  if (refusals.length > 0) return 1;
  for (const script of ['check', 'test']) {
    if (npm('run', script)) continue;
    console.error(`release: npm run ${script} fails`);
    return 1;
  }
  if (git('status', '--porcelain') !== '') {
    console.error('release: checking and testing has changed the tree, see `git status`');
    return 1;
  }
  if (isDry) {
    console.log(
      `release: ${version} would be committed, tagged ${planned.tag} and packed; nothing was written`,
    );
    return 0;
  }
  return make(planned);
}

/** Every reason at once, as far as no test is needed to know. */
function whyNot({ old, version, tag }: Release): readonly string[] {
  if (!isVersion(version))
    return [`${JSON.stringify(version.slice(0, 80))} is no version; one is 1.2.3 or 1.2.3-rc.1`];
  const reasons: string[] = [];
  if (!isGreater(version, old)) reasons.push(`${version} is not greater than ${old}, which package.json has`);
  if (git('status', '--porcelain') !== '') reasons.push('the tree has changes that are not committed');
  const current = git('rev-parse', '--abbrev-ref', 'HEAD');
  if (current !== branch) reasons.push(`the branch is ${current}, releases are made of ${branch}`);
  if (git('tag', '--list', tag) !== '') reasons.push(`the tag ${tag} exists`);
  const changelog = read('CHANGELOG.md');
  if (hasSection(changelog, version)) reasons.push(`CHANGELOG.md has a section for ${version} already`);
  if (unreleased(changelog).length === 0) reasons.push('CHANGELOG.md says nothing under "## Unreleased"');
  return reasons;
}

/** Packs before it commits: what cannot be packed leaves no commit behind. */
function make(planned: Release): number {
  const { name, old, version, tag } = planned;
  const before = written.map((file) => [file, read(file)] as const);
  try {
    const day = new Date().toISOString().slice(0, 10);
    writeFileSync('package.json', replaceVersion(read('package.json'), old, version, 1));
    writeFileSync('package-lock.json', replaceVersion(read('package-lock.json'), old, version, 2));
    writeFileSync('CHANGELOG.md', closeSection(read('CHANGELOG.md'), version, day));
    mkdirSync(folder, { recursive: true });
    if (!npm('pack', '--pack-destination', folder)) throw new Error('npm pack fails');
    git('add', ...written);
    git('commit', '--quiet', '-m', `Release ${version}`);
  } catch (error) {
    for (const [file, text] of before) writeFileSync(file, text);
    git('reset', '--quiet');
    console.error(`release: ${(error as Error).message}; nothing has changed`);
    return 1;
  }
  git('tag', '--annotate', tag, '-m', `${name} ${version}`);
  const tarball = join(folder, `${name}-${version}.tgz`);
  const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  console.log(`
release: ${version} is committed, tagged ${tag} and packed.
  ${tarball}
  sha256 ${sum}
To let the world have it:
  git push origin ${branch} ${tag}
  npm publish ${tarball} --access public${version.includes('-') ? ' --tag next' : ''}
To take it back as long as it is not pushed:
  git tag -d ${tag} && git reset --hard HEAD~1
`);
  return 0;
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

/** What it prints. Throws `Error` with what it complains about. */
function git(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('git', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? `git ${args[0]}: ${stderr.trim()}`);
  return stdout.trim();
}

function npm(...args: readonly string[]): boolean {
  return spawnSync('npm', args, { stdio: 'inherit' }).status === 0;
}
