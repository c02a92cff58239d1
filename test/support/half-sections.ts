// Clients of HTTP/2 that begin trailers and never end them; run as a program, a server of Node's own meets them. It
// imports next to nothing: what it is for depends on how often garbage is collected.

import { createServer } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { outliveStream } from '../../src/util/outlive-stream.ts';

/** Nine requests, a tenth with a body; then half its trailers, and DATA where only CONTINUATION may come. */
export function sendHalfTrailers(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.once('close', () => resolve());
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(settings, 0, 0, '')]));
    setTimeout(() => socket.write(bytes()), 2);
  });
}

const [data, headers, settings] = [0, 1, 4];
const [endStream, endHeaders] = [1, 4];
/** `GET http://x/` with a field of a hundred bytes. */
const request = `\x82\x84\x86\x41\x01x\x00\x03x-a\x64${'b'.repeat(100)}`;

function bytes(): Buffer {
  const whole = Array.from({ length: 9 }, (_, n) =>
    frame(headers, endHeaders | endStream, 1 + 2 * n, request),
  );
  const open = frame(headers, endHeaders, 19, request);
  const half = frame(headers, endStream, 19, '\x00\x03x-a\x01b');
  return Buffer.concat([...whole, open, half, frame(data, endStream, 1, 'hello')]);
}

function frame(type: number, flags: number, stream: number, payload: string): Buffer {
  const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]);
  return Buffer.concat([head, Buffer.from(payload, 'latin1')]);
}

/** `loose` shows what Node does on its own. */
async function run(isLoose: boolean, times: number): Promise<void> {
  const server = createServer();
  server.on('session', (session) => session.on('error', () => {}));
  server.on('sessionError', () => {});
  server.on('stream', (stream) => {
    if (!isLoose && stream.session !== undefined) outliveStream(stream, stream.session);
    stream.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  let left = times;
  const client = async (): Promise<void> => {
    while (left-- > 0) await sendHalfTrailers(port);
  };
  await Promise.all(Array.from({ length: 8 }, client));
  console.log('alive');
  server.close();
}

if (import.meta.main) await run(process.argv[2] === 'loose', Number(process.argv[3]));
