// `npx node examples/start.ts <example> [flags]`: its services and a gateway with its static.yml, until Ctrl-C.
//
// Flags after the name go to the gateway; `--configFile=other.yml` takes another static file of the folder.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** `examples/<name>/services.yml`: what is run beside the gateway. */
interface Services {
  /** Run before anything else, one after the other. */
  readonly before?: readonly string[];
  /** Command lines of processes that stay; `serve …` is `examples/services/serve.ts`. */
  readonly run: readonly string[];
  /** Run when the gateway listens; what it waits for is there when it ends. */
  readonly after?: readonly string[];
}

const here = dirname(fileURLToPath(import.meta.url));
const deadlineMs = 30_000;

const [, , name = '', ...flags] = process.argv;
const folder = join(here, name);
if (name === '' || !existsSync(join(folder, 'services.yml'))) {
  console.error('usage: npx node examples/start.ts <example> [flags of the gateway]');
  process.exit(2);
}
const services = parse(readFileSync(join(folder, 'services.yml'), 'utf8')) as Services;
const running: ChildProcess[] = [];
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));

for (const line of services.before ?? []) await once(line);
for (const line of services.run) running.push(start(line));
const config = flags.some((flag) => /^--configfile=/i.test(flag)) ? [] : ['--configFile=static.yml'];
const gateway = spawn(process.execPath, [join(here, '../src/main.ts'), ...config, ...flags], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
});
running.push(gateway);
gateway.once('exit', (code) => void stop(code ?? 1));
await listening(gateway);
for (const line of services.after ?? []) await once(line);
console.log(`\n${name} is ready; examples/${name}/README.md has what to ask it. Ctrl-C ends everything.`);

function start(line: string): ChildProcess {
  const [program = '', ...args] = line.split(' ');
  const [command, rest] =
    program === 'serve' ? [process.execPath, [join(here, 'services/serve.ts'), ...args]] : [program, args];
  const child = spawn(command, rest, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  child.once('error', (error) => {
    console.error(`${line}: ${error.message}`);
    void stop(1);
  });
  child.once('exit', (code) => {
    if (!isStopping) console.error(`${line}: ended with ${code}`);
    void stop(1);
  });
  return child;
}

async function once(line: string): Promise<void> {
  const child = spawn('sh', ['-c', line], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code === 0) return;
  console.error(`${line}: ended with ${code}`);
  await stop(1);
}

/** Passes on what the gateway prints, and waits until it says that it listens. */
async function listening(child: ChildProcess): Promise<void> {
  let isUp = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    isUp ||= text.includes('listening entryPoint=');
  });
  const end = performance.now() + deadlineMs;
  while (!isUp && !isStopping && performance.now() < end) await new Promise((next) => setTimeout(next, 50));
  if (isUp || isStopping) return;
  console.error(`the gateway did not listen within ${deadlineMs} ms`);
  await stop(1);
}

async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const ends = running
    .filter((child) => child.exitCode === null && child.signalCode === null)
    .map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of running) child.kill('SIGTERM');
  await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
  for (const child of running) child.kill('SIGKILL');
  process.exit(code);
}
