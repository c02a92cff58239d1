// `npm run bench -- --micro [NAME …]`: all micro benches in one table, each file in a process of its own, so that
// what one has made the compiler believe does not slow down the next.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MicroResult } from './run.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const ending = '.bench.ts';
/** Who measures in another way, a whole client or a reload, is run by itself. */
const timer = "from './run.ts'";
const deadlineMs = 120_000;

/** Of `only`, or all: the exit code. */
export function runMicro(only: readonly string[]): number {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .filter((name) => only.length === 0 || only.includes(name))
    .filter((name) => readFileSync(`${folder}${name}${ending}`, 'utf8').includes(timer))
    .toSorted();
  if (names.length === 0) {
    console.error(`no micro bench ${only.join(', ')}`);
    return 2;
  }
  let code = 0;
  console.log(`${''.padEnd(62)}${'ns/call'.padStart(10)}${'best'.padStart(10)}${'±'.padStart(8)}`);
  for (const name of names) {
    const run = spawnSync(process.execPath, [`${folder}${name}${ending}`, '--json'], {
      encoding: 'utf8',
      timeout: deadlineMs,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (run.status !== 0) {
      console.error(`!! ${name} failed`);
      code = 1;
    }
    for (const line of run.stdout.split('\n')) if (line !== '') console.log(formatLine(name, line));
  }
  return code;
}

/** What is no result is passed on as it is. */
function formatLine(name: string, line: string): string {
  if (!line.startsWith('{')) return line;
  const { title, nanoseconds, best, spread } = JSON.parse(line) as MicroResult;
  const figures = [nanoseconds, best].map((value) => formatNanoseconds(value).padStart(10)).join('');
  return `${name.padEnd(16)}${title.slice(0, 45).padEnd(46)}${figures}${`${(spread * 100).toFixed(0)} %`.padStart(8)}`;
}

function formatNanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
