// Starting what is measured and what stands around it; everything started is stopped, whatever happens.

import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { treeOf } from './proc.ts';

export interface Running {
  readonly pid: number;
  /** Milliseconds from the start to the first good answer. */
  readonly bootMs: number;
  stop(): Promise<void>;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A file that gets standard output; otherwise its end is kept for error messages. */
  readonly stdout?: string;
}

/** What tells that a program is up: this answers 200. */
export interface Probe {
  readonly port: number;
  readonly path: string;
  readonly host: string;
  /** Whatever the certificate; cleartext unless said. */
  readonly isHttps?: boolean;
}

const stopDeadlineMs = 3_000;
const bootDeadlineMs = 30_000;
const probeDeadlineMs = 2_000;
const keptOutput = 8_192;
const live = new Set<ChildProcess>();

/** Starts a program and waits until the probe answers. Throws with what it printed when it does not. */
export async function startProgram(program: Program, probe: Probe): Promise<Running> {
  const startedAt = performance.now();
  const { child, output, exited } = launch(program);
  while (isAlive(child) && performance.now() - startedAt < bootDeadlineMs) {
    if ((await statusOf(probe)) === 200) {
      return {
        pid: child.pid ?? 0,
        bootMs: performance.now() - startedAt,
        stop: () => stop(child, exited),
      };
    }
    await pause(performance.now() - startedAt < 2_000 ? 2 : 50);
  }
  await stop(child, exited);
  throw new Error(`${program.command} did not come up\n${output()}`);
}

/** Runs a driver to its end: what it wrote to standard output. Throws when it fails. */
export async function runProgram(program: Program, input = ''): Promise<string> {
  const child = spawn(program.command, [...program.args], { stdio: ['pipe', 'pipe', 'pipe'] });
  live.add(child);
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error = (error + text).slice(-keptOutput)));
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  }).finally(() => live.delete(child));
  if (code !== 0) throw new Error(`${program.command} ended with ${code}: ${error.trim()}`);
  return out;
}

/** For the end of the bench itself, when nobody can wait any more. */
export function killAll(): void {
  for (const child of live) {
    for (const pid of treeOf(child.pid ?? 0)) kill(pid, 'SIGKILL');
  }
}

/** The status of one request on a new connection; null when there was no answer. */
export function statusOf(probe: Probe): Promise<number | null> {
  return new Promise((resolve) => {
    const headers = { Host: probe.host, Authorization: 'Bearer bench' };
    const options = { host: '127.0.0.1', port: probe.port, path: probe.path, headers, agent: false };
    const ask = probe.isHttps === true ? requestTls : request;
    const sent = ask({ ...options, rejectUnauthorized: false }, (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? null));
    });
    sent.setTimeout(probeDeadlineMs, () => sent.destroy());
    sent.once('error', () => resolve(null)).end();
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Launched {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<void>;
}

function launch(program: Program): Launched {
  const file = program.stdout === undefined ? null : openSync(program.stdout, 'a');
  const child = spawn(program.command, [...program.args], {
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
  });
  if (file !== null) closeSync(file);
  live.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(-keptOutput)));
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      text += error.message;
      resolve();
    });
  }).finally(() => live.delete(child));
  return { child, output: () => text, exited };
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (!isAlive(child)) return;
  const pids = treeOf(child.pid ?? 0);
  child.kill('SIGTERM');
  const timer = setTimeout(() => pids.forEach((pid) => kill(pid, 'SIGKILL')), stopDeadlineMs);
  await exited;
  clearTimeout(timer);
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
