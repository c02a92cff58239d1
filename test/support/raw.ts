// Bytes to a port and bytes back, as an attacker's client sends them: nothing is checked or mended on the way.

import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** Everything that came back, one char a byte. */
  readonly text: string;
  /** The other side ended the connection. */
  readonly closed: boolean;
  /** Status codes of the answers, in their order. */
  readonly statuses: readonly number[];
}

export interface RawOptions {
  /** Milliseconds of silence after which the answer is taken as whole; default 250. */
  readonly quiet?: number;
  /** Milliseconds to wait for a first byte or an end; default 5,000. */
  readonly deadline?: number;
}

/** Sends the parts, each in a write of its own, and gathers what comes until the end or a silence. */
export async function sendRaw(
  port: number,
  parts: string | Buffer | readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const seen = listen(port);
  const { socket } = seen;
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const list = typeof parts === 'string' || Buffer.isBuffer(parts) ? [parts] : parts;
  for (const [index, part] of list.entries()) {
    if (socket.destroyed) break;
    await write(socket, part);
    // Two writes are then mostly two reads for the other side.
    if (index < list.length - 1) await pause(10);
  }
  const deadline = performance.now() + (options.deadline ?? 5_000);
  const quiet = options.quiet ?? 250;
  while (!seen.closed && performance.now() < deadline) {
    if (seen.lastByteAt > 0 && performance.now() - seen.lastByteAt > quiet) break;
    await pause(2);
  }
  socket.destroy();
  return { text: seen.text, closed: seen.closed, statuses: statusesIn(seen.text) };
}

/** What a connection has told so far. */
export interface Listening {
  readonly socket: Socket;
  text: string;
  closed: boolean;
  /** `performance.now()`; 0 before the first. */
  lastByteAt: number;
}

/** Connects to 127.0.0.1 and gathers what comes; errors count as the end. */
export function listen(port: number): Listening {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const seen: Listening = { socket, text: '', closed: false, lastByteAt: 0 };
  socket.on('data', (chunk) => {
    seen.text += chunk.toString('latin1');
    seen.lastByteAt = performance.now();
  });
  socket.on('error', () => {});
  socket.on('end', () => (seen.closed = true));
  socket.on('close', () => (seen.closed = true));
  return seen;
}

/** A request's bytes; `headers` are whole lines. Host is `app.test` unless a line says another. */
export function requestText(line: string, headers: readonly string[] = [], body = ''): string {
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : ['Host: app.test'];
  return `${[`${line} HTTP/1.1`, ...host, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

/** The first answer's value of a header, or null. */
export function headerOf(text: string, name: string): string | null {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  const line = head.split('\r\n').find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/** The first answer's body. */
export function bodyOfAnswer(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return at === -1 ? '' : text.slice(at + 4);
}

function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}

function write(socket: Socket, part: string | Buffer): Promise<void> {
  return new Promise<void>((resolve) => {
    socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part, () => resolve());
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
