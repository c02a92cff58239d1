// The demo's gateway: `src/main.ts` as a child process, with Traefik's flags.

import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface GatewayProcess {
  readonly pid: number;
  /** Resolves with the exit code once the process is gone. */
  readonly exited: Promise<number | null>;
  /** The last of what it printed, at most 64 KiB. */
  output(): string;
  /** SIGTERM, and SIGKILL when it has not left after 10 s. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly webPort: number;
  readonly apiPort: number;
  readonly workers: number;
  readonly env: Readonly<Record<string, string>>;
  /** Copy its output to this process's. */
  readonly verbose: boolean;
  /** Flags after the demo's own. */
  readonly flags: readonly string[];
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const dynamic = fileURLToPath(new URL('dynamic.yml', import.meta.url));
const keptOutput = 65_536;
const stopDeadlineMs = 10_000;
const bootDeadlineMs = 20_000;

/** Starts the gateway and waits until a route through it answers. Throws with its output when it does not. */
export async function startGatewayProcess(options: GatewayOptions): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [main, ...flagsFor(options)], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C goes to everything in the terminal's group, and a gateway that is told twice leaves at once.
    detached: options.verbose,
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = (output + text).slice(-keptOutput);
      if (options.verbose) process.stdout.write(text);
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  void exited.then(() => process.removeListener('exit', killWithUs));
  const gateway: GatewayProcess = {
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    stop: () => stopChild(child, exited),
  };
  try {
    await untilServing(child, options.webPort);
  } catch (error) {
    await gateway.stop();
    const said = options.verbose ? '' : `\n${output}`;
    throw new Error(`the gateway did not start: ${(error as Error).message}${said}`, { cause: error });
  }
  return gateway;
}

export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * `wanted` when it is free, else a free one; 0 is always a free one. Held until it is released, so that none
 * of the services started meanwhile is given it and answers in the gateway's place.
 */
export async function holdPort(wanted: number): Promise<HeldPort> {
  const held = (await tryPort(wanted)) ?? (await tryPort(0));
  if (held === null) throw new Error('there is no free port');
  return held;
}

function flagsFor(options: GatewayOptions): readonly string[] {
  return [
    `--entryPoints.web.address=127.0.0.1:${options.webPort}`,
    `--entryPoints.traefik.address=127.0.0.1:${options.apiPort}`,
    '--api.insecure=true',
    '--ping=true',
    `--providers.file.filename=${dynamic}`,
    `--workers=${options.workers}`,
    '--log.level=WARN',
    ...options.flags,
  ];
}

function tryPort(wanted: number): Promise<HeldPort | null> {
  return new Promise((resolve) => {
    // Nobody reads what comes, and a connection that is not ended would keep the port from being released.
    const holder = createServer((socket) => socket.destroy());
    holder.once('error', () => resolve(null));
    holder.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
      const { port } = holder.address() as AddressInfo;
      resolve({ port, release: () => new Promise((released) => holder.close(() => released())) });
    });
  });
}

async function untilServing(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + bootDeadlineMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it exited with ${child.exitCode ?? child.signalCode}`);
    }
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`/health did not answer 200 within ${bootDeadlineMs} ms`);
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await exited;
  clearTimeout(timer);
}
