// A server of HTTP/2 that answers wrongly by the request's path, frame by frame, and rightly to everybody else on
// the same connections.

import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import {
  block,
  flags,
  frame,
  frameTypes,
  headersFrame,
  resetFrame,
  settingsFrame,
  windowFrame,
} from './http2-frames.ts';

export interface HostileStream {
  readonly name: string;
  /** Frames for a stream; null ends the connection, an empty list says nothing at all. */
  readonly frames: (stream: number) => readonly (Buffer | null)[];
  /** Of the client: as for `HostileAnswer`. */
  readonly gets: string;
}

export interface HostileHttp2 {
  /** `h2c://…` */
  readonly url: string;
  readonly accepted: () => number;
  seen(target: string): number;
  stop(): Promise<void>;
}

const { endStream, endHeaders } = flags;
const status: readonly string[] = [':status', '200'];

function head(stream: number, more: readonly string[] = [], flag: number = endHeaders): Buffer {
  return headersFrame(stream, [...status, ...more], flag);
}

function data(stream: number, text: string, flag = 0): Buffer {
  return frame(frameTypes.data, flag, stream, Buffer.from(text));
}

function fields(name: string, gets: string, list: readonly string[]): HostileStream {
  return {
    name,
    gets,
    frames: (s) => [headersFrame(s, list, endHeaders), data(s, 'hello', endStream)],
  };
}

function goaway(lastStream: number, code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStream);
  payload.writeUInt32BE(code, 4);
  return frame(frameTypes.goaway, 0, 0, payload);
}

const largeField = ['x-a', 'v'.repeat(16_000)];

const resets: readonly HostileStream[] = Array.from({ length: 14 }, (_, code) => ({
  name: `reset-${code}-before-head`,
  gets: code === 1 || code === 11 ? '500' : '502',
  frames: (s: number) => [resetFrame(s, code)],
}));

const streams: readonly HostileStream[] = [
  { name: 'reset-after-head', gets: 'cut', frames: (s) => [head(s), resetFrame(s, 2)] },
  { name: 'reset-after-data', gets: 'cut', frames: (s) => [head(s), data(s, 'hel'), resetFrame(s, 8)] },
  { name: 'reset-without-error', gets: 'cut', frames: (s) => [head(s), data(s, 'hel'), resetFrame(s, 0)] },
  {
    name: 'reset-within-length',
    gets: 'cut',
    frames: (s) => [head(s, ['content-length', '5']), data(s, 'hel'), resetFrame(s, 0)],
  },
  {
    name: 'data-below-length',
    gets: 'cut',
    frames: (s) => [head(s, ['content-length', '9']), data(s, 'hello', endStream)],
  },
  {
    name: 'second-head',
    gets: 'cut',
    frames: (s) => [head(s), data(s, 'hel'), head(s), data(s, 'lo', endStream)],
  },
  {
    name: 'trailers-with-status',
    gets: 'cut',
    frames: (s) => [head(s), data(s, 'hello'), head(s, [], endStream | endHeaders)],
  },
  {
    name: 'trailers-that-do-not-end',
    gets: 'cut',
    frames: (s) => [
      head(s),
      data(s, 'hello'),
      headersFrame(s, ['x-a', 'b'], endHeaders),
      data(s, 'SECRET', endStream),
    ],
  },
  {
    name: 'trailers-of-40-kb',
    gets: 'cut',
    frames: (s) => [
      head(s),
      data(s, 'hello'),
      headersFrame(s, [...largeField, ...largeField, ...largeField], endStream | endHeaders),
    ],
  },
  { name: 'silence', gets: '504', frames: () => [] },
  { name: 'head-and-silence', gets: '200 open', frames: (s) => [head(s)] },
  {
    name: 'informational-flood',
    gets: '500',
    frames: (s) => Array.from({ length: 64 }, () => headersFrame(s, [':status', '103'], endHeaders)),
  },
];

const heads: readonly HostileStream[] = [
  fields('lengths-equal', '502|500', [...status, 'content-length', '5', 'content-length', '5']),
  fields('lengths-different', '502|500', [...status, 'content-length', '5', 'content-length', '4']),
  fields('length-negative', '502|500', [...status, 'content-length', '-5']),
  fields('length-beyond-numbers', '502|500', [...status, 'content-length', '99999999999999999999']),
  fields('status-missing', '500', ['x-a', 'b']),
  fields('status-twice', '500', [...status, ...status]),
  fields('status-after-fields', '500', ['x-a', 'b', ...status]),
  fields('status-of-words', '500', [':status', 'ok!']),
  fields('status-101', '500', [':status', '101']),
  fields('request-field', '500', [...status, ':path', '/']),
  fields('connection-field', '500', [...status, 'connection', 'close']),
  fields('transfer-encoding', '500', [...status, 'transfer-encoding', 'chunked']),
  fields('name-in-upper-case', '500', [...status, 'X-A', 'b']),
  fields('value-with-line-end', '500|200 whole', [...status, 'x-a', 'a\r\nset-cookie: b=c']),
  fields('value-with-nul', '500|200 whole', [...status, 'x-a', 'a\0b']),
  fields('name-with-colon', '500|200 whole', [...status, 'x:a', 'b']),
  fields('lines-3000', '500', [...status, ...Array.from({ length: 3_000 }, () => ['x', 'y']).flat()]),
];

/** These cost everybody the connection; what is under way on it and harmless is sent once more elsewhere. */
export const hostileConnections: readonly HostileStream[] = [
  { name: 'end-at-once', gets: '502', frames: () => [null] },
  { name: 'end-after-head', gets: 'cut', frames: (s) => [head(s), data(s, 'hel'), null] },
  { name: 'end-within-frame', gets: 'cut', frames: (s) => [head(s), data(s, 'hello').subarray(0, 11), null] },
  {
    name: 'data-after-end',
    gets: '200 whole|cut|500|502',
    frames: (s) => [head(s), data(s, 'hello', endStream), data(s, 'SECRET', endStream)],
  },
  {
    name: 'head-after-end',
    gets: '200 whole|cut|500|502',
    frames: (s) => [head(s), data(s, 'hello', endStream), head(s)],
  },
  {
    name: 'data-beyond-length',
    gets: '200 whole|cut',
    frames: (s) => [head(s, ['content-length', '5']), data(s, 'hello'), data(s, 'SECRET', endStream)],
  },
  { name: 'data-before-head', gets: '500|502', frames: (s) => [data(s, 'hello', endStream)] },
  { name: 'window-of-nothing', gets: '500|502', frames: (s) => [windowFrame(s, 0)] },
  {
    name: 'status-204-with-data',
    gets: '204 whole|502|500',
    frames: (s) => [headersFrame(s, [':status', '204'], endHeaders), data(s, 'SECRET', endStream)],
  },
  { name: 'goaway-and-end', gets: '502', frames: (s) => [goaway(s, 2), null] },
  { name: 'goaway-before-this-stream', gets: '502', frames: () => [goaway(0, 0)] },
  {
    name: 'goaway-and-answer',
    gets: '200 whole',
    frames: (s) => [goaway(s, 0), head(s), data(s, 'hello', endStream)],
  },
  {
    name: 'frame-too-large',
    gets: '502|500',
    frames: (s) => [frame(frameTypes.data, 0, s, Buffer.alloc(70_000))],
  },
  { name: 'stream-of-nobody', gets: '502|500', frames: () => [head(99_999)] },
  { name: 'stream-of-the-server', gets: '502|500', frames: () => [head(2)] },
  { name: 'stream-zero', gets: '502|500', frames: () => [data(0, 'hello')] },
  {
    name: 'push',
    gets: '502|500',
    frames: (s) => [
      frame(
        frameTypes.push,
        endHeaders,
        s,
        Buffer.concat([
          Buffer.from([0, 0, 0, 2]),
          block([':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a']),
        ]),
      ),
    ],
  },
  {
    name: 'continuation-of-nothing',
    gets: '502|500',
    frames: (s) => [frame(frameTypes.continuation, endHeaders, s, block(status))],
  },
  { name: 'continuation-cut', gets: '502|500', frames: (s) => [head(s, [], 0), data(s, 'hello', endStream)] },
  {
    name: 'continuation-flood',
    gets: '502|500',
    frames: (s) => [
      head(s, [], 0),
      ...Array.from({ length: 100 }, () => frame(frameTypes.continuation, 0, s, block(largeField))),
    ],
  },
  {
    name: 'hpack-bad-index',
    gets: '502|500',
    frames: (s) => [frame(frameTypes.headers, endHeaders, s, Buffer.from([0xff, 0xff, 0x7f]))],
  },
  {
    name: 'hpack-cut-string',
    gets: '502|500',
    frames: (s) => [frame(frameTypes.headers, endHeaders, s, Buffer.from([0, 5, 97]))],
  },
  {
    name: 'hpack-table-beyond-bound',
    gets: '502|500',
    frames: (s) => [frame(frameTypes.headers, endHeaders, s, Buffer.from([0x3f, 0xff, 0xff, 0xff, 0x7f]))],
  },
  {
    name: 'settings-cut',
    gets: '502|500',
    frames: () => [frame(frameTypes.settings, 0, 0, Buffer.alloc(5))],
  },
  {
    name: 'settings-flood',
    gets: '502|500|504',
    frames: () => Array.from({ length: 20_000 }, () => settingsFrame([])),
  },
  {
    name: 'ping-flood',
    gets: '502|500|504',
    frames: () => Array.from({ length: 20_000 }, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8))),
  },
  {
    name: 'window-overflow',
    gets: '502|500',
    frames: () => [windowFrame(0, 0x7fffffff), windowFrame(0, 0x7fffffff)],
  },
  {
    name: 'http-1.1-within',
    gets: '502|500',
    frames: () => [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')],
  },
];

export const hostileStreams: readonly HostileStream[] = [...resets, ...streams, ...heads];

/** Without users: the server's own compression would not know of what this does to ours. */
export const hostileCompression: readonly HostileStream[] = [
  { name: 'hpack-bomb', gets: '500', frames: (s) => [bomb(s)] },
];

/** One field of 4,000 bytes into the dynamic table, then ten thousand references to it. */
function bomb(stream: number): Buffer {
  const name = Buffer.from('x-a');
  const entry = [Buffer.from([0x40, name.length]), name, stringOf(3_900)];
  const payload = Buffer.concat([Buffer.from([0x88]), ...entry, Buffer.alloc(10_000, 0xbe)]);
  return frame(frameTypes.headers, endHeaders | endStream, stream, payload);
}

/** A string literal of so many letters (RFC 7541 §5.2). */
function stringOf(length: number): Buffer {
  const bytes = [127];
  let left = length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...bytes, left]), Buffer.alloc(length, 97)]);
}

/** The library serves; a wrong answer is written past it, onto the socket it reads from. */
export async function startHostileHttp2(): Promise<HostileHttp2> {
  const byName = new Map(
    [...hostileStreams, ...hostileConnections, ...hostileCompression].map((one) => [one.name, one]),
  );
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const raw = new Map<ServerHttp2Session, Socket>();
  let accepted = 0;
  let last: Socket;
  const server = createServer();
  server.prependListener('connection', (socket: Socket) => {
    last = socket;
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    raw.set(session, last);
    session.on('error', () => {}).on('close', () => raw.delete(session));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    const target = String(headers[':path']);
    targets.push(target);
    stream.on('error', () => {}).resume();
    const wrong = target.startsWith('/wrong/') ? byName.get(target.slice('/wrong/'.length)) : undefined;
    if (wrong === undefined) {
      stream.respond({ ':status': 200, 'x-of': target });
      stream.end(target);
      return;
    }
    const socket = raw.get(stream.session as ServerHttp2Session);
    for (const part of wrong.frames(stream.id ?? 0)) {
      if (part === null) socket?.destroySoon();
      else socket?.write(part);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted: () => accepted,
    seen: (target) => targets.filter((one) => one === target).length,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
