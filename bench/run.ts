// `npm run bench`: the gateway beside every peer that is here, scenario by scenario.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSeconds, remaining, type Step, stepsOf } from './estimate.ts';
import { type Command, type Options, readFlags, usage } from './flags.ts';
import { commandPath, ensureTools } from './install.ts';
import { readMachine } from './machine.ts';
import { type Found, measureCase } from './measure.ts';
import { runMicro } from './micro/all.ts';
import { startBackends } from './origin.ts';
import type { Peer } from './peers/peer.ts';
import { killAll } from './processes.ts';
import { publish, publishFrom, writeResult } from './publish.ts';
import { type ResultFile, titleOf } from './result.ts';
import type { Backends } from './site.ts';
import { scenarios } from './scenarios/list.ts';
import { toMarkdown } from './table.ts';

// nginx and haproxy are installed in sbin, which a user's PATH often lacks.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

const command = read();
if (command.name === 'help') console.log(usage);
else if (command.name === 'list') {
  for (const one of scenarios) console.log(`${one.name.padEnd(18)}${one.summary}`);
} else if (command.name === 'micro') process.exitCode = runMicro(command.only);
else if (command.name === 'republish') publishFrom(command.from, say);
else await bench(command.options);

function read(): Command {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

async function bench(options: Options): Promise<void> {
  if (options.installs) ensureTools(say);
  const here = presentOf(options);
  const steps = stepsOf(options.scenarios, options.cores, here, options);
  announce(steps);
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const found: Found = { rows: [], skipped: [] };
  const startedAt = new Date().toISOString();
  const finish = (isPartial: boolean): void => {
    const { seconds, rounds, driver, minutes } = options;
    const rows = found.rows.flatMap(({ cell, rounds: own }) =>
      own.length === 0 ? [] : [{ ...cell, rounds: own }],
    );
    if (rows.length === 0) return;
    const result: ResultFile = {
      format: 1,
      startedAt,
      ...(isPartial && { isPartial }),
      machine: readMachine(here),
      setup: { seconds, rounds, driver, minutes },
      rows,
      skipped: found.skipped,
    };
    finishWith(result, options);
  };
  cleanUpAtExit(folder, () => finish(true));
  const { backends, running } = await startBackends(folder);
  try {
    await runAll(steps, { options, here, backends, folder, found });
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
  finish(false);
}

/** Those of the chosen that are installed. */
function presentOf({ peers, driver }: Options): readonly Peer[] {
  const here = peers.filter((peer) => peer.command === null || commandPath(peer.command) !== null);
  const missing = peers.filter((peer) => !here.includes(peer));
  if (missing.length > 0) say(`!! not on the PATH: ${missing.map((peer) => peer.name).join(', ')}`);
  if (driver === 'auto' && commandPath('wrk') === null) say('!! no wrk: autocannon may be the limit');
  return here;
}

function announce(steps: readonly Step[]): void {
  const cells = steps.reduce((sum, step) => sum + step.cells, 0);
  say(`${steps.length} cases, ${cells} cells: about ${formatSeconds(remaining(steps, 0, 0))}`);
}

interface Stand {
  readonly options: Options;
  readonly here: readonly Peer[];
  readonly backends: Backends;
  readonly folder: string;
  readonly found: Found;
}

async function runAll(steps: readonly Step[], stand: Stand): Promise<void> {
  const { options, here: peers, backends, folder, found } = stand;
  const { seconds, driver, minutes, rounds } = options;
  const round = { seconds, driver, folder, minutes, rate: null };
  const startedAt = performance.now();
  for (const [done, { scenario, one, cores }] of steps.entries()) {
    const elapsed = (performance.now() - startedAt) / 1_000;
    const title = titleOf({ scenario: scenario.name, case: one.name });
    const left = formatSeconds(remaining(steps, done, elapsed));
    say(`[${done + 1}/${steps.length}, ${left} left] ${title}, ${cores} ${cores === 1 ? 'core' : 'cores'}`);
    await measureCase(scenario, one, { peers, backends, cores, rounds, round, found, say });
  }
  say(`took ${formatSeconds((performance.now() - startedAt) / 1_000)}`);
}

function finishWith(result: ResultFile, { out, publishes }: Options): void {
  const file = writeResult(result, out);
  console.log(`\n${toMarkdown(result)}`);
  say(`written: ${file}.json, .md, .svg`);
  if (publishes && result.isPartial !== true) publish(result, say);
  else if (publishes) say('!! stopped before its end: not published');
}

/** Whatever ends this, Ctrl-C or a mistake: nothing that was started stays, and what was measured does. */
function cleanUpAtExit(folder: string, keep: () => void): void {
  process.once('exit', () => {
    killAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      killAll();
      try {
        keep();
      } finally {
        process.exit(code);
      }
    });
  }
}

/** Progress, apart from the result. */
function say(line: string): void {
  console.error(line);
}
