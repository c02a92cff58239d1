// Servers of HTTP/2 for the tests of its client: node's, and one that says its frames by hand.

import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { frame, frameTypes } from '../../../../support/http2-frames.ts';
import { type RawServer, rawServer } from '../http1/support.ts';

export interface H2Server {
  /** `h2c://127.0.0.1:<port>` */
  readonly url: string;
  readonly server: Http2Server;
  /** Open ones, in the order they came. */
  readonly sessions: ServerHttp2Session[];
  /** Connections so far. */
  accepted: number;
  stop(): Promise<void>;
}

export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]) => void;

export async function h2Server(onStream: OnStream, options: ServerOptions = {}): Promise<H2Server> {
  const server = createServer(options);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    made.accepted++;
    sessions.push(session);
    session.on('error', () => {});
    session.on('close', () => sessions.splice(sessions.indexOf(session), 1));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers, _flags, raw) => {
    stream.on('error', () => {});
    onStream(stream, headers, raw as unknown as string[]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made: H2Server = {
    url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    sessions,
    accepted: 0,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
  return made;
}

/** The whole of what came on `stream`. */
export async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const endStream = 1;
export const endHeaders = 4;

/** HPACK, each field as a literal that is never indexed, without Huffman. */
export function hpack(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(Buffer.from([0x10]), text(name), text(value));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

export function int32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

/** Calls `onRequest` for each HEADERS frame, having said SETTINGS; what it writes is up to it. */
export async function frameServer(
  onRequest: (socket: Socket, stream: number) => void,
): Promise<RawServer & { readonly h2: string }> {
  const server = await rawServer((socket) => {
    let bytes = Buffer.alloc(0);
    let at = 24;
    socket.write(frame(frameTypes.settings, 0, 0));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= at + 9) {
        const length = bytes.readUIntBE(at, 3);
        if (bytes.length < at + 9 + length) return;
        const [type, flags, stream] = [bytes[at + 3], bytes[at + 4] as number, bytes.readUInt32BE(at + 5)];
        at += 9 + length;
        if (type === frameTypes.settings && (flags & 1) === 0) socket.write(frame(frameTypes.settings, 1, 0));
        if (type === frameTypes.headers) onRequest(socket, stream);
      }
    });
  });
  return Object.assign(server, { h2: server.url.replace('http:', 'h2c:') });
}
