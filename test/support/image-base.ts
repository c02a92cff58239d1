// The images that a registry would give, made here by their names, and the gateway's own built on them.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImageEngine, imageCache, startImageEngine } from './image-engine.ts';

/** Milliseconds each step took; a step whose result was there took none. */
export type Steps = Record<'debian' | 'node' | 'packages' | 'build' | 'image' | 'bare', number>;

/** A base of nothing but this machine's C library: no shell, and as old a library as Debian's here. */
export const bareBase = 'portcullis-bare-base';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** As the Dockerfile names them when nobody says otherwise. */
const debian = 'debian:trixie-slim';
const node = 'node:24-trixie-slim';
/** Debian's, which its own Node trusts without being told. */
const systemTrust = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Builds `portcullis`, and `portcullis-bare` on the bare base, from this checkout; what has not changed is kept. With
 * PORTCULLIS_TEST_IMAGE=keep the images of the last run are taken as they are.
 */
export async function buildImages(): Promise<Steps> {
  const steps = { debian: 0, node: 0, packages: 0, build: 0, image: 0, bare: 0 };
  if (process.env['PORTCULLIS_TEST_IMAGE'] === 'keep') return steps;
  const timed = async (step: keyof Steps, work: () => Promise<unknown>): Promise<void> => {
    const started = performance.now();
    await work();
    steps[step] = Math.round(performance.now() - started);
  };
  const engine = await startImageEngine('build');
  try {
    await timed('debian', () => makeDebian(engine));
    await timed('node', () => makeNode(engine));
    // Named, so that what they are made of is found again by the next build.
    await timed('packages', async () => {
      await build(engine, ['--target', 'packages', '-t', 'portcullis-packages']);
      await build(engine, ['--target', 'runtime', '-t', 'portcullis-runtime']);
    });
    await timed('build', () => build(engine, ['--target', 'build', '-t', 'portcullis-build']));
    await timed('image', () => build(engine, ['-t', 'portcullis']));
    await timed('bare', async () => {
      await makeBare(engine);
      await build(engine, ['--build-arg', `BASE=${bareBase}`, '-t', 'portcullis-bare']);
    });
    await engine.ask('POST', '/images/prune');
    return steps;
  } finally {
    await engine.stop();
  }
}

function build(engine: ImageEngine, args: readonly string[]): Promise<string> {
  return engine.docker(['build', '--network=host', ...args, '.'], { cwd: root });
}

async function isThere(engine: ImageEngine, image: string): Promise<boolean> {
  return engine.ask('GET', `/images/${image}/json`).then(
    () => true,
    () => false,
  );
}

async function makeDebian(engine: ImageEngine): Promise<void> {
  if (await isThere(engine, debian)) return;
  const packed = join(imageCache, 'debian.tar');
  // Where the mirror has no trixie, its predecessor stands in: the addon's copy is then what runs.
  if (!existsSync(packed) && !bootstrap('trixie', packed) && !bootstrap('bookworm', packed))
    throw new Error('debootstrap made neither trixie nor bookworm');
  await importFrom(engine, packed, debian);
}

function bootstrap(suite: string, target: string): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'debootstrap-'));
  try {
    const made = spawnSync('debootstrap', ['--variant=minbase', suite, dir, 'http://deb.debian.org/debian'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 170_000,
    });
    if (made.status !== 0) return false;
    for (const part of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ])
      rmSync(join(dir, part), { recursive: true, force: true });
    return pack(dir, target);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Whole or not at all. */
function pack(dir: string, target: string): boolean {
  const { status } = spawnSync('tar', ['-C', dir, '-cf', `${target}.part`, '.'], { timeout: 60_000 });
  if (status === 0) renameSync(`${target}.part`, target);
  return status === 0;
}

async function importFrom(engine: ImageEngine, packed: string, image: string): Promise<void> {
  const input = openSync(packed, 'r');
  try {
    await engine.docker(['import', '-', image], { input });
  } finally {
    closeSync(input);
  }
}

/** This machine's npm, the Node of the packages, and the authorities that npm's registry is trusted by here. */
async function makeNode(engine: ImageEngine): Promise<void> {
  if (await isThere(engine, node)) return;
  const dir = mkdtempSync(join(tmpdir(), 'node-image-'));
  try {
    const local = join(dir, 'usr/local');
    for (const part of ['bin', 'etc', 'lib/node_modules']) mkdirSync(join(local, part), { recursive: true });
    copyFileSync(process.execPath, join(local, 'bin/node'));
    const npm = spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim();
    cpSync(dirname(dirname(realpathSync(npm))), join(local, 'lib/node_modules/npm'), { recursive: true });
    for (const [name, script] of [
      ['npm', 'npm-cli.js'],
      ['npx', 'npx-cli.js'],
    ])
      spawnSync('ln', ['-s', `../lib/node_modules/npm/bin/${script}`, join(local, 'bin', name as string)]);
    const authorities =
      process.env['NODE_EXTRA_CA_CERTS'] ?? (existsSync(systemTrust) ? systemTrust : undefined);
    if (authorities !== undefined) copyFileSync(authorities, join(local, 'etc/authorities.pem'));
    const trust = authorities === undefined ? '' : 'ENV NODE_EXTRA_CA_CERTS=/usr/local/etc/authorities.pem\n';
    writeFileSync(join(dir, 'Dockerfile'), `FROM ${debian}\nCOPY usr /usr\n${trust}`);
    await engine.docker(['build', '--network=none', '-t', node, '.'], { cwd: dir });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function makeBare(engine: ImageEngine): Promise<void> {
  if (await isThere(engine, bareBase)) return;
  const dir = mkdtempSync(join(tmpdir(), 'bare-image-'));
  try {
    const image = join(dir, 'image');
    const listed = spawnSync('ldd', [process.execPath], { encoding: 'utf8' }).stdout;
    const addon = readdirSync(join(root, 'node_modules/uWebSockets.js')).find((name) =>
      name.endsWith(`linux_${process.arch}_${process.versions.modules}.node`),
    );
    const more = spawnSync('ldd', [join(root, 'node_modules/uWebSockets.js', addon ?? '')], {
      encoding: 'utf8',
    });
    for (const [, file = ''] of `${listed}${more.stdout}`.matchAll(/(\/\S+\.so\S*) \(/g)) {
      mkdirSync(join(image, dirname(file)), { recursive: true });
      copyFileSync(file, join(image, file));
    }
    mkdirSync(join(image, 'tmp'), { mode: 0o1777 });
    const packed = join(dir, 'bare.tar');
    if (!pack(image, packed)) throw new Error('tar failed');
    await importFrom(engine, packed, bareBase);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
