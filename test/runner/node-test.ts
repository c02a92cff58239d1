// One `node --test` over some files: what it prints is shown, what it counts is returned.

import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

export interface Run {
  readonly files: readonly string[];
  /** Files side by side, each in a process of its own; 0: all in one process, one after the other. */
  readonly concurrency: number;
  /** Milliseconds for one file, or for one test where all are in one process. */
  readonly timeout: number;
  readonly env: NodeJS.ProcessEnv;
  /** Shown at the end instead of as it comes: another one is being shown. */
  readonly isShownLast: boolean;
  /** Where its output goes; unless said, to standard output. */
  readonly show?: (text: string) => void;
}

export interface Ran {
  readonly failed: boolean;
  readonly counts: ReadonlyMap<string, number>;
}

export const countNames = ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

export async function runFiles(run: Run): Promise<Ran> {
  // What one file leaves open must not hold up all others.
  const isolation =
    run.concurrency === 0
      ? ['--test-isolation=none', '--test-force-exit']
      : [`--test-concurrency=${run.concurrency}`];
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      ...isolation,
      `--test-timeout=${run.timeout}`,
      '--test-reporter=spec',
      ...run.files,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: run.env },
  );
  const show = run.show ?? ((text: string): void => void process.stdout.write(text));
  const counts = new Map<string, number>();
  const held: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    if (run.isShownLast) held.push(text);
    else show(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) readCount(line, counts);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  readCount(rest, counts);
  show(held.join(''));
  // A test that ends the process ends all that comes after it, without a word.
  return { failed: status !== 0 || !counts.has('tests'), counts };
}

export function sumOf(all: readonly Ran[]): Ran {
  const counts = new Map(
    countNames.map((name) => [name, all.reduce((sum, one) => sum + (one.counts.get(name) ?? 0), 0)]),
  );
  return { failed: all.some((one) => one.failed), counts };
}

/** Takes node's own closing line, `ℹ pass 12`, into the counts. */
function readCount(line: string, counts: Map<string, number>): void {
  const match = /^ℹ (\w+) (\d+)$/.exec(stripVTControlCharacters(line));
  if (match !== null && countNames.includes(match[1] as string))
    counts.set(match[1] as string, Number(match[2]));
}
