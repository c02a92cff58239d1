// HTTP/2 frame by frame, for tests: sends whatever it is told to, shows every frame that comes back.

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { eventually } from './gateway.ts';

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface FrameClient {
  readonly socket: Socket;
  readonly frames: readonly Frame[];
  readonly isClosed: boolean;
  send(...frames: readonly Buffer[]): void;
  /** Waits for a frame that `check` likes. */
  until(what: string, check: (frame: Frame) => boolean, ms?: number): Promise<Frame>;
  /** Waits for the end of the connection; the error code of its GOAWAY, -1 without one. */
  closed(ms?: number): Promise<number>;
  destroy(): void;
}

export interface FrameOptions {
  /** By ALPN over TLS, whoever's certificate it is. */
  readonly tls?: boolean;
  /** Identifier and value, alternating. */
  readonly settings?: readonly number[];
  /** Frames of the answer are dropped, not read. */
  readonly neverReads?: boolean;
}

/** Preface and SETTINGS are sent. */
export async function openFrames(port: number, options: FrameOptions = {}): Promise<FrameClient> {
  const { tls = false, settings = [], neverReads = false } = options;
  const socket: Socket = tls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    : connectTcp(port, '127.0.0.1');
  const frames: Frame[] = [];
  let isClosed = false;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('close', () => (isClosed = true));
  if (!neverReads) {
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const end = 9 + rest.readUIntBE(0, 3);
        const stream = rest.readUInt32BE(5) & 0x7fffffff;
        frames.push({ type: rest[3] ?? 0, flags: rest[4] ?? 0, stream, payload: rest.subarray(9, end) });
        rest = rest.subarray(end);
      }
    });
  }
  await new Promise<void>((resolve, reject) =>
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve()).once('error', reject),
  );
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(settingsFrame(settings));
  return {
    socket,
    frames,
    get isClosed() {
      return isClosed;
    },
    send: (...list) => void (isClosed || socket.write(Buffer.concat(list))),
    async until(what, check, ms) {
      await eventually(what, () => frames.some(check) || isClosed, ms);
      const found = frames.find(check);
      if (found === undefined) throw new Error(`the connection ended before ${what}`);
      return found;
    },
    async closed(ms) {
      await eventually('the connection ends', () => isClosed, ms);
      const goaway = frames.findLast(({ type }) => type === frameTypes.goaway);
      return goaway === undefined ? -1 : goaway.payload.readUInt32BE(4);
    },
    destroy: () => socket.destroy(),
  };
}

export function frame(
  type: number,
  flag: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function settingsFrame(pairs: readonly number[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 3);
  for (let i = 0; i < pairs.length; i += 2) {
    payload.writeUInt16BE(pairs[i] as number, i * 3);
    payload.writeUInt32BE(pairs[i + 1] as number, i * 3 + 2);
  }
  return frame(frameTypes.settings, 0, 0, payload);
}

/** Names and values, alternating; as they are, without compression. */
export function headersFrame(
  stream: number,
  fields: readonly string[],
  flag: number = flags.endStream | flags.endHeaders,
): Buffer {
  return frame(frameTypes.headers, flag, stream, block(fields));
}

/** A GET with the pseudo-headers it needs, then `more`. */
export function getFrame(stream: number, path: string, more: readonly string[] = []): Buffer {
  const pseudo = [':method', 'GET', ':scheme', 'http', ':path', path, ':authority', 'a.test'];
  return headersFrame(stream, [...pseudo, ...more]);
}

export function resetFrame(stream: number, code = 8): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(frameTypes.reset, 0, stream, payload);
}

export function windowFrame(stream: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(frameTypes.windowUpdate, 0, stream, payload);
}

/** Field lines as HPACK literals that are not indexed (RFC 7541 §6.2.2). */
export function block(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < fields.length; i += 2)
    parts.push(Buffer.from([0]), literal(fields[i] as string), literal(fields[i + 1] as string));
  return Buffer.concat(parts);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of seven bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let left = value - 127;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}
