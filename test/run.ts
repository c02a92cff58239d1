// `npm test`: makes sure of the system's packages, then runs the suites in order and sums them up.
// `npm test -- unit golden` runs these suites, `npm test -- integration/websocket` the files whose path begins with that.

import { spawnSync } from 'node:child_process';
import { existsSync, globSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countNames, type Ran, runFiles, sumOf } from './runner/node-test.ts';

interface Suite {
  readonly name: string;
  /** Milliseconds one file may take. */
  readonly fileTimeout: number;
  /** Files run side by side. */
  readonly concurrency: number;
  /** Whether what one file has compiled is there for the next: where the gateway's own start is no matter. */
  readonly sharesCompiled: boolean;
}

interface Tool {
  readonly command: string;
  readonly debian: string;
}

interface SuiteResult extends Ran {
  readonly suite: string;
}

const suites: readonly Suite[] = [
  { name: 'unit', fileTimeout: 60_000, concurrency: 2, sharesCompiled: true },
  { name: 'golden', fileTimeout: 60_000, concurrency: 2, sharesCompiled: true },
  { name: 'integration', fileTimeout: 120_000, concurrency: 2, sharesCompiled: false },
  { name: 'conformance', fileTimeout: 180_000, concurrency: 2, sharesCompiled: false },
  { name: 'fuzz', fileTimeout: 120_000, concurrency: 2, sharesCompiled: true },
  { name: 'e2e', fileTimeout: 420_000, concurrency: 1, sharesCompiled: false },
  { name: 'soak', fileTimeout: 180_000, concurrency: 1, sharesCompiled: false },
];

const tools: readonly Tool[] = [
  { command: 'redis-server', debian: 'redis-server' },
  { command: 'pebble', debian: 'pebble' },
  { command: 'nginx', debian: 'nginx-light' },
  { command: 'nghttpd', debian: 'nghttp2-server' },
  { command: 'h2load', debian: 'nghttp2-client' },
  { command: 'wrk', debian: 'wrk' },
  { command: 'sslscan', debian: 'sslscan' },
  { command: 'hey', debian: 'hey' },
  { command: 'dockerd', debian: 'docker.io' },
  { command: 'podman', debian: 'podman' },
  { command: 'runc', debian: 'runc' },
  { command: 'busybox', debian: 'busybox-static' },
  { command: 'keepalived', debian: 'keepalived' },
  { command: 'systemd-analyze', debian: 'systemd' },
  { command: 'curl', debian: 'curl' },
  { command: 'jq', debian: 'jq' },
  { command: 'promtool', debian: 'prometheus' },
  { command: 'chromium', debian: 'chromium' },
  { command: 'varnishtest', debian: 'varnish' },
  { command: 'slowhttptest', debian: 'slowhttptest' },
  { command: 'debootstrap', debian: 'debootstrap' },
  { command: 'docker-compose', debian: 'docker-compose' },
  { command: 'logrotate', debian: 'logrotate' },
  { command: 'faketime', debian: 'faketime' },
];

/** Suites that need nothing but Node. */
const withoutTools = ['unit', 'golden', 'fuzz'];

/**
 * Folders whose files leave their process as they found it. They share two processes instead of starting one each,
 * which costs 0.2 s of CPU time a file. A test that changes environment, signals or globals belongs elsewhere.
 */
const pure = [
  'unit/config',
  'unit/dashboard',
  'unit/grafana',
  'unit/model',
  'unit/proxy/middlewares',
  'unit/proxy/router',
  'unit/rules',
  'unit/tls',
  'unit/util',
];
/** With fewer files it is not worth it, and who asks for some files wants to see them one by one. */
const leastTogether = 20;

// nginx and redis-server are installed in sbin, which a user's PATH often lacks.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === suiteOf(name)));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(', ')}; there are: ${suites.map((suite) => suite.name).join(', ')}`);
  process.exit(2);
}
process.exitCode = await runAll(
  suites.filter((suite) => wanted.length === 0 || wanted.map(suiteOf).includes(suite.name)),
);

function suiteOf(name: string): string {
  return name.split('/')[0] as string;
}

async function runAll(chosen: readonly Suite[]): Promise<number> {
  const needsTools = chosen.some((suite) => !withoutTools.includes(suite.name));
  const missing = needsTools ? ensureTools() : [];
  if (needsTools) ensureDashboard();
  // Tests that need a missing tool look here and skip themselves.
  process.env['PORTCULLIS_TEST_MISSING'] = missing.map((tool) => tool.command).join(',');
  const scratch = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  process.env['TMPDIR'] = scratch;
  const results: SuiteResult[] = [];
  try {
    for (const suite of chosen) results.push(await runSuite(suite));
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
  printSummary(results);
  if (missing.length > 0) {
    const names = missing.map((tool) => tool.debian).join(' ');
    console.log(
      `\n!! NOT EVERYTHING RAN: what needs ${names} was skipped. As root: apt-get install ${names}`,
    );
  }
  return results.some((result) => result.failed) ? 1 : 0;
}

function ensureTools(): readonly Tool[] {
  const missing = tools.filter((tool) => !isOnPath(tool.command));
  if (missing.length === 0 || process.getuid?.() !== 0 || !isOnPath('apt-get')) return missing;
  const packages = missing.map((tool) => tool.debian);
  console.log(`installing ${packages.join(' ')}`);
  const apt = (args: readonly string[]): boolean =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      // The packages must not start daemons of their own on well-known ports.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      timeout: 300_000,
    }).status === 0;
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if (!apt(install) && apt(['update', '-q'])) apt(install);
  return tools.filter((tool) => !isOnPath(tool.command));
}

/** `npm ci` has built it; sources that are younger than that are built again by their own test. */
function ensureDashboard(): void {
  if (existsSync('dist/dashboard/index.html')) return;
  spawnSync(process.execPath, ['src/dashboard/build.ts'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function isOnPath(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

async function runSuite(suite: Suite): Promise<SuiteResult> {
  const parts = wanted.filter((name) => suiteOf(name) === suite.name);
  const files = globSync(`test/${suite.name}/**/*.test.ts`)
    .filter((file) => parts.length === 0 || parts.some((part) => file.startsWith(`test/${part}`)))
    .sort();
  console.log(`\n── ${suite.name}: ${files.length} files`);
  const shared = { timeout: suite.fileTimeout, env: environmentOf(suite) };
  const isPure = (file: string): boolean => pure.some((folder) => file.startsWith(`test/${folder}/`));
  const together = files.filter(isPure).length >= leastTogether ? files.filter(isPure) : [];
  const halves = [0, 1].map((half) => together.filter((_, index) => index % 2 === half));
  const ran = await Promise.all(
    halves
      .filter((half) => half.length > 0)
      .map((half, index) => runFiles({ ...shared, files: half, concurrency: 0, isShownLast: index > 0 })),
  );
  const apart = files.filter((file) => !together.includes(file));
  if (apart.length > 0)
    ran.push(await runFiles({ ...shared, files: apart, concurrency: suite.concurrency, isShownLast: false }));
  return { suite: suite.name, ...sumOf(ran) };
}

/**
 * Each file is a process of its own and spends most of it on stripping and compiling the same sources: with a cache
 * for the length of one run a third of the CPU time is saved. Nothing of it outlives the run.
 */
function environmentOf(suite: Suite): NodeJS.ProcessEnv {
  if (!suite.sharesCompiled) return process.env;
  return { ...process.env, NODE_COMPILE_CACHE: join(process.env['TMPDIR'] ?? tmpdir(), 'compiled') };
}

function printSummary(results: readonly SuiteResult[]): void {
  console.log('\n── total');
  const cell = (value: string | number): string => String(value).padStart(10);
  console.log(`${'suite'.padEnd(12)}${countNames.map(cell).join('')}`);
  const row = (name: string, read: (count: string) => number): void =>
    console.log(`${name.padEnd(12)}${countNames.map((count) => cell(read(count))).join('')}`);
  for (const result of results) row(result.suite, (count) => result.counts.get(count) ?? 0);
  const sum = (count: string): number =>
    results.reduce((total, result) => total + (result.counts.get(count) ?? 0), 0);
  for (const count of countNames) console.log(`ℹ ${count} ${sum(count)}`);
  const failed = results.filter((result) => result.failed).map((result) => result.suite);
  console.log(failed.length === 0 ? '\nall suites passed' : `\nFAILED: ${failed.join(', ')}`);
}
