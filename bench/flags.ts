// The flags of `npm run bench`.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peers } from './peers/list.ts';
import type { Peer } from './peers/peer.ts';
import type { DriverChoice, Scenario } from './scenario.ts';
import { scenarios } from './scenarios/list.ts';

export const usage = `npm run bench -- [flags]

  --list                 the scenarios
  --scenario a,b         only these
  --peer nginx,caddy     only these beside portcullis
  --quick                plain, latency and protected in rounds of a second: about a minute
  --rounds N             interleaved rounds; 3 unless said, which is the least that can be compared
  --seconds N            of one round; 2 unless said
  --minutes N            of the memory scenario; 1 unless said, 10 for a figure to be published
  --cores 1,2            workers, threads or GOMAXPROCS of each proxy, one run after the other; 1 unless said
  --driver D             auto (unless said), wrk or autocannon; auto takes wrk where autocannon would be the limit
  --no-install           does not install missing peers, even as root
  --out FOLDER           where results go; .tmp/bench unless said
  --publish              puts results into bench/results, and makes them the ones README.md shows
  --publish --from FILE  the same with a result that is there already; measures nothing
  --micro [NAME …]       the micro benches instead: nanoseconds of single functions, in one table
  --help                 this

Writes <date>-<machine>.json, .md and .svg; Ctrl-C ends it and keeps what was measured until then.
npm run bench:compare -- A.json B.json says which differences between two results exceed the noise.`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly seconds: number;
  readonly minutes: number;
  readonly cores: readonly number[];
  readonly driver: DriverChoice;
  readonly installs: boolean;
  readonly out: string;
  readonly publishes: boolean;
}

export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'list' }
  | { readonly name: 'micro'; readonly only: readonly string[] }
  | { readonly name: 'republish'; readonly from: string }
  | { readonly name: 'run'; readonly options: Options };

/** What is committed. */
export const publishedFolder: string = fileURLToPath(new URL('results', import.meta.url));
const scratchFolder = fileURLToPath(new URL('../.tmp/bench', import.meta.url));
const quickScenarios = 'plain,latency,protected';

/** Throws with a message for the user. */
export function readFlags(args: readonly string[]): Command {
  const { values: flags, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      micro: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      from: { type: 'string' },
      scenario: { type: 'string' },
      peer: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string' },
      minutes: { type: 'string', default: '1' },
      cores: { type: 'string', default: '1' },
      driver: { type: 'string', default: 'auto' },
      'no-install': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  if (flags.help) return { name: 'help' };
  if (flags.list) return { name: 'list' };
  if (flags.micro) return { name: 'micro', only: positionals };
  if (positionals.length > 0) throw new Error(`what is ${positionals.join(' ')}? --help lists the flags`);
  if (flags.from !== undefined && !flags.publish) throw new Error('--from goes with --publish');
  if (flags.from !== undefined) return { name: 'republish', from: flags.from };
  const options: Options = {
    scenarios: choose(flags.scenario ?? (flags.quick ? quickScenarios : undefined), scenarios),
    peers: choose(flags.peer === undefined ? undefined : `portcullis,${flags.peer}`, peers),
    rounds: whole('rounds', flags.rounds),
    seconds: whole('seconds', flags.seconds ?? (flags.quick ? '1' : '2')),
    minutes: positive('minutes', flags.minutes),
    cores: flags.cores.split(',').map((text) => whole('cores', text)),
    driver: driverOf(flags.driver),
    installs: !flags['no-install'],
    out: flags.out ?? (flags.publish ? publishedFolder : scratchFolder),
    publishes: flags.publish,
  };
  return { name: 'run', options };
}

function choose<T extends { readonly name: string }>(
  wanted: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (wanted === undefined) return all;
  const names = new Set(wanted.split(','));
  for (const name of names) {
    if (!all.some((one) => one.name === name)) {
      throw new Error(`no ${name}; there are: ${all.map((one) => one.name).join(', ')}`);
    }
  }
  return all.filter((one) => names.has(one.name));
}

function whole(name: string, text: string): number {
  const number = positive(name, text);
  if (!Number.isInteger(number)) throw new Error(`--${name} wants a whole number above 0`);
  return number;
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new Error(`--${name} wants a number above 0`);
}

function driverOf(text: string): DriverChoice {
  if (text === 'auto' || text === 'wrk' || text === 'autocannon') return text;
  throw new Error(`no driver ${text}; there are: auto, wrk, autocannon`);
}
