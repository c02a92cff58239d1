// `npm run dev`: the demo platform, started again on every change of a source. Arguments go to the gateway.

import { type ChildProcess, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const demo = fileURLToPath(new URL('demo/main.ts', import.meta.url));
const folders = ['src', 'ops/demo'];
/** Milliseconds of quiet before a start: an editor or a `git switch` writes many files at once. */
const quiet = 200;
/** Names shown of one change. */
const mostNames = 5;

const changed = new Set<string>();
let timer: NodeJS.Timeout | undefined;
let running: ChildProcess = start('whole');
let isBusy = false;
let isEnding = false;

for (const folder of folders) {
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (name === null || !isSource(name)) return;
    changed.add(relative(root, join(root, folder, name)));
    clearTimeout(timer);
    timer = setTimeout(() => void restart(), quiet);
  });
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
say(`watching ${folders.join(' and ')}: a saved file starts the demo again, Ctrl-C ends it`);

/** In a group of its own: Ctrl-C reaches this process alone, which asks once. When this one is gone, it leaves too. */
function start(guide: 'whole' | 'brief'): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', demo, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, DEMO_GUIDE: guide },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  child.once('exit', (code) => {
    if (child === running && !isBusy && !isEnding) say(`the demo ended with ${code}: waiting for a change`);
  });
  return child;
}

async function restart(): Promise<void> {
  // What is saved meanwhile is looked at once this start is over.
  if (isBusy || isEnding) return;
  isBusy = true;
  while (changed.size > 0 && !isEnding) {
    say(`changed: ${namesOf(changed)}`);
    changed.clear();
    await stop(running);
    if (!isEnding) running = start('brief');
  }
  isBusy = false;
}

async function end(): Promise<void> {
  if (isEnding) process.exit(1);
  isEnding = true;
  await stop(running);
  process.exit(0);
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** The gateway reads the demo's own configuration again by itself, and the dashboard is built, not loaded. */
function isSource(name: string): boolean {
  return name.endsWith('.ts') && !name.startsWith('dashboard/');
}

function namesOf(names: ReadonlySet<string>): string {
  const first = [...names].sort().slice(0, mostNames).join(', ');
  return names.size > mostNames ? `${first} and ${names.size - mostNames} more` : first;
}

function say(text: string): void {
  console.log(`\ndev: ${text}`);
}
