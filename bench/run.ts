// `npm run bench`: the gateway beside every peer that is here, scenario by scenario.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commandPath, ensureTools } from './install.ts';
import { readMachine } from './machine.ts';
import { type Bench, measureCase } from './measure.ts';
import { startBackends } from './origin.ts';
import { peers } from './peers/list.ts';
import { toSvg } from './plot.ts';
import { killAll } from './processes.ts';
import type { ResultFile, Row, Skipped } from './result.ts';
import type { DriverChoice, Scenario } from './scenario.ts';
import { scenarios } from './scenarios/list.ts';
import { toMarkdown } from './table.ts';

const usage = `npm run bench -- [flags]

  --list                 the scenarios
  --scenario a,b         only these
  --peer nginx,caddy     only these beside portcullis
  --rounds N             interleaved rounds, 5 unless said
  --seconds N            of one round, 5 unless said
  --cores 1,2            workers, threads or GOMAXPROCS of each proxy, one run after the other; 1 unless said
  --driver D             auto (unless said), wrk or autocannon; auto takes wrk where autocannon would be the limit
  --no-install           does not install missing peers, even as root
  --out FOLDER           where results go; bench/results unless said

Writes <date>.json, <date>.md and <date>.svg.`;

const outcomeFolder = fileURLToPath(new URL('results', import.meta.url));

const { values: flags } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    peer: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    cores: { type: 'string', default: '1' },
    driver: { type: 'string', default: 'auto' },
    'no-install': { type: 'boolean', default: false },
    out: { type: 'string', default: outcomeFolder },
  },
});

// nginx and haproxy are installed in sbin, which a user's PATH often lacks.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

if (flags.help) console.log(usage);
else if (flags.list) for (const one of scenarios) console.log(`${one.name.padEnd(18)}${one.summary}`);
else await bench();

async function bench(): Promise<void> {
  const chosen = choose(flags.scenario, scenarios);
  const entrants = choose(flags.peer === undefined ? undefined : `portcullis,${flags.peer}`, peers);
  const rounds = positive('rounds', flags.rounds);
  const seconds = positive('seconds', flags.seconds);
  const cores = flags.cores.split(',').map((text) => positive('cores', text));
  const driver = driverOf(flags.driver);
  if (!flags['no-install']) ensureTools(say);
  const here = entrants.filter((peer) => peer.command === null || commandPath(peer.command) !== null);
  const missing = entrants.filter((peer) => !here.includes(peer));
  if (missing.length > 0) say(`!! not on the PATH: ${missing.map((peer) => peer.name).join(', ')}`);
  if (driver === 'auto' && commandPath('wrk') === null) say('!! no wrk: autocannon may be the limit');

  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  cleanUpAtExit(folder);
  const startedAt = new Date();
  const rows: Row[] = [];
  const skipped: Skipped[] = [];
  const { backends, running } = await startBackends(folder);
  try {
    for (const count of cores) {
      const round = { seconds, driver, folder };
      await runAll(chosen, { peers: here, backends, cores: count, rounds, round, say }, { rows, skipped });
    }
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
  const machine = readMachine(here);
  const setup = { seconds, rounds, driver };
  write({ format: 1, startedAt: startedAt.toISOString(), machine, setup, rows, skipped });
}

interface Found {
  readonly rows: Row[];
  readonly skipped: Skipped[];
}

async function runAll(chosen: readonly Scenario[], setup: Bench, found: Found): Promise<void> {
  for (const scenario of chosen) {
    for (const one of scenario.cases) {
      say(`${scenario.name}${one.name === '' ? '' : `, ${one.name}`}, cores: ${setup.cores}`);
      const outcome = await measureCase(scenario, one, setup);
      found.rows.push(...outcome.rows);
      found.skipped.push(...outcome.skipped);
    }
  }
}

function write(result: ResultFile): void {
  mkdirSync(flags.out, { recursive: true });
  const name = join(flags.out, result.startedAt.slice(0, 19).replaceAll(':', '').replace('T', '-'));
  const table = toMarkdown(result);
  writeFileSync(`${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(`${name}.md`, table);
  writeFileSync(`${name}.svg`, toSvg(result));
  console.log(`\n${table}`);
  say(`written: ${name}.json, .md, .svg`);
}

/** Whatever ends this, Ctrl-C or a mistake: nothing that was started stays. */
function cleanUpAtExit(folder: string): void {
  process.once('exit', () => {
    killAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, code] of Object.entries(codes)) process.once(signal, () => process.exit(code));
}

function choose<T extends { readonly name: string }>(
  wanted: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (wanted === undefined) return all;
  const names = new Set(wanted.split(','));
  for (const name of names) {
    if (!all.some((one) => one.name === name))
      refuse(`no ${name}; there are: ${all.map((one) => one.name).join(', ')}`);
  }
  return all.filter((one) => names.has(one.name));
}

function positive(name: string, text: string): number {
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? number : refuse(`--${name} wants a whole number above 0`);
}

function driverOf(text: string): DriverChoice {
  return text === 'auto' || text === 'wrk' || text === 'autocannon' ? text : refuse(`no driver ${text}`);
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

/** Progress, apart from the result. */
function say(line: string): void {
  console.error(line);
}
