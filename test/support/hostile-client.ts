// A client that reads one answer to the letter, and tells a whole one from one that was cut.

import { connect, type Socket } from 'node:net';

export interface ReadAnswer {
  /** As in `hostile-answers.ts`. */
  readonly outcome: string;
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Bytes behind a whole answer: there must not be any. */
  readonly rest: string;
}

export interface ReadOptions {
  readonly method?: string;
  /** Milliseconds after which an answer that does not end is left; default 10,000. */
  readonly leaveAfter?: number;
  /** Whole header lines. */
  readonly headers?: readonly string[];
  /** Said to come; only a part is sent. */
  readonly upload?: number;
}

/** One request on a connection of its own. */
export async function readAnswer(
  port: number,
  target: string,
  options: ReadOptions = {},
): Promise<ReadAnswer> {
  const { method = 'GET', leaveAfter = 10_000, headers = [], upload = 0 } = options;
  const socket = connect(port, '127.0.0.1');
  const reading = read(socket, method === 'HEAD', leaveAfter);
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: app.test', ...headers];
  if (upload > 0) lines.push(`Content-Length: ${upload}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${'x'.repeat(upload >> 1)}`);
  const answer = await reading;
  socket.destroy();
  return answer;
}

/** Asks for `targets` one after the other on one connection, as `user` if given; what is wrong with the answers. */
export async function askInTurn(
  port: number,
  targets: readonly string[],
  user: string | null = null,
): Promise<string[]> {
  const authorization = user === null ? '' : `Authorization: Bearer ${user}\r\n`;
  const socket = connect(port, '127.0.0.1');
  const problems: string[] = [];
  try {
    for (const target of targets) {
      const reading = read(socket, false, 10_000, 0);
      socket.write(`GET ${target} HTTP/1.1\r\nHost: app.test\r\n${authorization}\r\n`);
      const { outcome, body, head, rest } = await reading;
      const own = user === null ? target : `${target}#${user}`;
      const isOwn = body === own && head.toLowerCase().includes(`\r\nx-of: ${target}`);
      if (outcome !== '200 whole' || !isOwn || rest !== '')
        problems.push(`${target}: ${outcome} ${JSON.stringify((body + rest).slice(0, 60))}`);
      if (outcome !== '200 whole') break;
    }
  } finally {
    socket.destroy();
  }
  return problems;
}

/** Milliseconds in which bytes behind a whole answer would turn up. */
const restTime = 15;

function read(socket: Socket, isHead: boolean, leaveAfter: number, wait = restTime): Promise<ReadAnswer> {
  return new Promise((resolve) => {
    let text = '';
    let isSettled = false;
    const settle = (isClosed: boolean): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      resolve(tell(text, isHead, isClosed));
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (endOf(text, isHead) === -1) return;
      if (wait === 0) settle(false);
      else setTimeout(settle, wait, false);
    };
    const onClose = (): void => settle(true);
    const timer = setTimeout(settle, leaveAfter, false);
    socket.on('data', onData).on('close', onClose);
    if (socket.listenerCount('error') === 0) socket.on('error', () => {});
  });
}

function tell(text: string, isHead: boolean, isClosed: boolean): ReadAnswer {
  const at = text.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  const end = endOf(text, isHead);
  const state = end !== -1 ? 'whole' : isClosed ? 'cut' : 'open';
  const head = at === -1 ? text : text.slice(0, at + 2);
  const raw = at === -1 ? '' : text.slice(at + 4, end === -1 ? undefined : end);
  const body = /\r\ntransfer-encoding: chunked/i.test(head) ? joined(raw) : raw;
  const isOwn = status >= 500 && state === 'whole';
  const outcome = state === 'cut' ? 'cut' : isOwn ? String(status) : `${status} ${state}`;
  return { outcome, status, head, body, rest: end === -1 ? '' : text.slice(end) };
}

/** The index after the answer, -1 while it is not whole. */
function endOf(text: string, isHead: boolean): number {
  const at = text.indexOf('\r\n\r\n');
  if (at === -1) return -1;
  const head = text.slice(0, at + 2);
  const isBodyless = isHead || /^HTTP\/1\.1 (?:204|304) /.test(head);
  if (isBodyless) return at + 4;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length !== undefined) return text.length < at + 4 + Number(length) ? -1 : at + 4 + Number(length);
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return -1;
  const last = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(at + 4));
  return last === null ? -1 : at + 4 + last.index + last[0].length;
}

function joined(chunks: string): string {
  let body = '';
  let pos = 0;
  for (;;) {
    const line = chunks.indexOf('\r\n', pos);
    const size = line === -1 ? 0 : Number.parseInt(chunks.slice(pos, line), 16);
    if (!(size > 0)) return body;
    body += chunks.slice(line + 2, line + 2 + size);
    pos = line + 2 + size + 2;
  }
}
