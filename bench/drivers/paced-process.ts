// Reads one round as JSON from standard input, sends at its rate, prints what came of it.
//
// Each tick brings as many requests as the rate wants since the last one. They go out on whatever connection is
// free; what finds none waits its turn. Latency runs from the tick, not from when a request could be sent: a proxy
// that stalls for a second is charged for every request of that second (no coordinated omission). How late the
// ticks themselves came is the driver's own doing and is reported beside.

import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Latencies } from './latencies.ts';
import type { PacedResult, PacedRound } from './paced.ts';

/** Answers that are still out when the time is over get so long. */
const graceMs = 1_000;
const tickMs = 1;
const readBuffer = 16_384;
/** Requests that wait for a connection, at most; the rest is an error at once. */
const maxWaiting = 1_000_000;

interface Line {
  readonly socket: Socket;
  /** When its request was due; 0 while it is free. */
  dueAt: number;
}

const round = JSON.parse(await text(process.stdin)) as PacedRound;
const request = Buffer.from(`GET ${round.path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
const latencies = new Latencies();
const lags = new Latencies();
const free: Line[] = [];
const lines = new Set<Line>();
/** When each was due; `head` is the next one. */
const waiting: number[] = [];
let head = 0;
let errors = 0;
let isOver = false;

process.stdout.write(JSON.stringify(await run()));
process.exit(0);

async function run(): Promise<PacedResult> {
  await Promise.all(Array.from({ length: round.connections }, open));
  const startedAt = performance.now();
  await send(startedAt);
  const seconds = (performance.now() - startedAt) / 1_000;
  const answered = latencies.count;
  await drain();
  countLost();
  const { p50, p99, p999 } = latencies.quantiles();
  return { answered, errors, seconds, p50, p99, p999, lag: lags.quantiles().p99 };
}

/** Until all requests of the round have been due. */
function send(startedAt: number): Promise<void> {
  const total = Math.floor(round.rate * round.seconds);
  let due = 0;
  let expectedAt = startedAt;
  return new Promise((resolve) => {
    const tick = (): void => {
      const now = performance.now();
      lags.add(Math.max(0, now - expectedAt));
      const until = Math.min(total, Math.floor(((now - startedAt) * round.rate) / 1_000));
      for (; due < until; due += 1) ask(now);
      if (due >= total) return resolve();
      expectedAt = now + tickMs;
      setTimeout(tick, tickMs);
    };
    tick();
  });
}

function ask(dueAt: number): void {
  const line = free.pop();
  if (line !== undefined) write(line, dueAt);
  else if (waiting.length - head < maxWaiting) waiting.push(dueAt);
  else errors += 1;
}

function write(line: Line, dueAt: number): void {
  line.dueAt = dueAt;
  line.socket.write(request);
}

function answered(line: Line, isGood: boolean): void {
  if (isGood) latencies.add(Math.max(0, performance.now() - line.dueAt));
  else errors += 1;
  line.dueAt = 0;
  const next = waiting[head];
  if (next === undefined || isOver) return void free.push(line);
  head += 1;
  write(line, next);
}

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port: round.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.alloc(readBuffer), callback: (_, bytes) => onBytes(line, bytes as Buffer) },
    });
    const line: Line = { socket, dueAt: 0 };
    socket.once('connect', () => {
      lines.add(line);
      free.push(line);
      resolve();
    });
    socket.once('error', reject).on('error', () => undefined);
    socket.once('close', () => lost(line));
  });
}

/** An answer is small: where `HTTP/1.1 ` stands its head begins, anything else is the rest of its body. */
function onBytes(line: Line, bytes: Buffer): boolean {
  const isHead = bytes[0] === 72 && bytes[4] === 47;
  if (line.dueAt !== 0 && isHead) answered(line, bytes[9] === 50);
  return true;
}

function lost(line: Line): void {
  lines.delete(line);
  if (line.dueAt !== 0) errors += 1;
  const at = free.indexOf(line);
  if (at !== -1) free.splice(at, 1);
  if (!isOver) open().catch(() => (errors += 1));
}

async function drain(): Promise<void> {
  const until = performance.now() + graceMs;
  while (performance.now() < until && (head < waiting.length || lines.size > free.length)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  isOver = true;
}

/** What nobody answered is an error, and as slow as the time it was given. */
function countLost(): void {
  const now = performance.now();
  for (const line of lines) if (line.dueAt !== 0) lose(now - line.dueAt);
  for (const dueAt of waiting.slice(head)) lose(now - dueAt);
}

function lose(ms: number): void {
  errors += 1;
  latencies.add(ms);
}
