// `npm run fuzz -- --seconds 300 rules`: the long form of the fuzz targets; what fails is kept in their corpus.

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `npm run fuzz -- [flags] [target …]

  --seconds N       for all targets together (300)
  --jobs N          targets side by side (2)
  --seed SEED       SEED or SEED:PATH, as a failure prints it
  --list            the targets

Counterexamples, as small as they get, are kept in test/fuzz/corpus/<target>/ and run first from then on, here and
in npm test. Exit code 1: something failed; 2: bad flags.
`;

const all = globSync('test/fuzz/*.test.ts').sort();
const targets = all.map((file) => basename(file, '.test.ts'));
const { flags, chosen } = read();
const jobs = numberOf(flags.jobs, 'jobs', 1, 64);
const seconds =
  (numberOf(flags.seconds, 'seconds', 1, 86_400) * Math.min(jobs, chosen.length)) / chosen.length;
console.log(`${chosen.length} targets, ${Math.round(seconds)} s each`);
const waiting = [...chosen];
const failed: string[] = [];
await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, work));
console.log(failed.length === 0 ? 'nothing found' : `FAILED: ${failed.sort().join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
    const startedAt = performance.now();
    const { passed, output } = await runOne(target);
    const took = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${passed ? 'held  ' : 'FAILED'} ${target}, ${took} s, ${waiting.length} wait`);
    if (passed) continue;
    failed.push(target);
    console.log(output);
  }
}

function runOne(target: string): Promise<{ readonly passed: boolean; readonly output: string }> {
  const env = { ...process.env, FUZZ_SECONDS: String(seconds), FUZZ_SEED: flags.seed };
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test-reporter=spec',
    `test/fuzz/${target}.test.ts`,
  ];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill();
  process.once('SIGINT', stop);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-100_000);
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.off('SIGINT', stop);
      resolve({ passed: code === 0, output });
    });
  });
}

interface Flags {
  readonly seconds: string;
  readonly jobs: string;
  readonly seed: string;
}

function read(): { readonly flags: Flags; readonly chosen: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '300' },
        jobs: { type: 'string', default: '2' },
        seed: { type: 'string', default: '' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help || values.list) {
      console.log(values.help ? usage : targets.join('\n'));
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !targets.includes(name));
    if (unknown.length > 0)
      throw new Error(`no target ${unknown.join(', ')}; there are: ${targets.join(', ')}`);
    return { flags: values, chosen: positionals.length === 0 ? targets : positionals };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function numberOf(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  console.error(`--${name} ${text}: a number from ${least} to ${most} is wanted`);
  process.exit(2);
}
