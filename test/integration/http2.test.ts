// HTTP/2 in front, frame by frame: floods end their connection and hurt nobody else, and what is malformed
// reaches no server.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2,
  type Http2Server,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  block,
  flags,
  frame,
  frameTypes,
  type FrameClient,
  getFrame,
  headersFrame,
  openFrames,
  resetFrame,
  settingsFrame,
  windowFrame,
} from '../support/http2-frames.ts';
import { makeAuthority } from '../support/pki.ts';
import { openTlsBench, type TlsBench } from '../support/tls-bench.ts';
import { residentBytes, routesTo } from '../support/wire.ts';

const calm = 11;

describe('HTTP/2 in front', { timeout: 110_000 }, () => {
  const seen: string[] = [];
  const fields: string[] = [];
  let origin: Server;
  let trailing: Http2Server;
  let bench: TlsBench;

  before(async () => {
    origin = createServer((request, response) => {
      seen.push(String(request.url));
      fields.push(...request.rawHeaders);
      if (request.url === '/o/never') response.write('begun');
      else request.resume().on('end', () => response.end('origin'));
    });
    trailing = createHttp2().on('stream', (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-sum': 'abc' }));
      stream.resume().on('end', () => stream.end('body'));
    });
    const pki = makeAuthority();
    const defaultCertificate = pki.issue(['a.test']);
    pki.close();
    for (const one of [origin, trailing]) await new Promise<void>((go) => one.listen(0, '127.0.0.1', go));
    bench = await openTlsBench({
      side: 'both',
      defaultCertificate,
      routes: { o: urlOf(origin), t: urlOf(trailing).replace('http:', 'h2c:') },
      transport: { idleTimeout: 5_000 },
    });
  });
  after(async () => {
    await bench?.close();
    origin?.closeAllConnections();
    origin?.close();
    trailing?.close();
  });

  /** While `flood` runs against one connection another one is served; the code of the GOAWAY. */
  async function endOfFlood(
    flood: (client: FrameClient, round: number) => void | Promise<void>,
  ): Promise<number> {
    const client = await openFrames(bench.port);
    const other = await openFrames(bench.port);
    const started = performance.now();
    let round = 0;
    while (!client.isClosed && performance.now() - started < 10_000) {
      await flood(client, round);
      round += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const code = await client.closed(500);
    other.send(getFrame(1, '/o/other'));
    await other.until('an answer', ({ type }) => type === frameTypes.headers, 2_000);
    other.destroy();
    return code;
  }

  test('requests that are reset at once end their connection', async () => {
    const code = await endOfFlood((client, round) => {
      for (let i = 0; i < 50; i++) {
        const stream = (round * 50 + i) * 2 + 1;
        client.send(getFrame(stream, '/o/x'), resetFrame(stream));
      }
    });
    assert.ok(code === calm || code === 2, String(code));
  });

  for (const [name, error] of [
    ['CANCEL', 8],
    ['NO_ERROR', 0],
    ['INTERNAL_ERROR', 2],
  ] as const) {
    test(`requests that are reset with ${name} as soon as their answer begins end their connection`, async () => {
      const done = new Set<number>();
      let next = 1;
      const code = await endOfFlood((client) => {
        for (const { type, stream } of client.frames.slice(-200)) {
          if (type !== frameTypes.headers || done.has(stream)) continue;
          done.add(stream);
          client.send(resetFrame(stream, error));
        }
        for (; next < done.size * 2 + 41; next += 2) client.send(getFrame(next, '/o/never'));
      });
      assert.ok(code === calm || code === 2, String(code));
    });
  }

  test('a client that cancels now and then is not taken for a flood', async () => {
    const client = await openFrames(bench.port);
    for (let i = 0; i < 40; i++) {
      client.send(getFrame(i * 2 + 1, '/o/never'), resetFrame(i * 2 + 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.send(getFrame(101, '/o/after'));
    await client.until('an answer', ({ type, stream }) => type === frameTypes.headers && stream === 101);
    client.destroy();
  });

  test('SETTINGS and PING floods end their connection', async () => {
    assert.equal(
      await endOfFlood((client) =>
        client.send(...Array.from({ length: 40 }, () => settingsFrame([4, 65535]))),
      ),
      calm,
    );
    const ping = frame(frameTypes.ping, 0, 0, Buffer.alloc(8));
    assert.equal(await endOfFlood((client) => client.send(...Array.from({ length: 40 }, () => ping))), calm);
  });

  test('a head that goes on in CONTINUATION without end ends its connection', async () => {
    const part = frame(frameTypes.continuation, 0, 1, block(['x-a', 'b'.repeat(100)]));
    const none = frame(frameTypes.continuation, 0, 1);
    for (const more of [part, none]) {
      const code = await endOfFlood((client, round) => {
        if (round === 0)
          client.send(
            headersFrame(1, [':method', 'GET', ':scheme', 'http', ':path', '/o/x'], flags.endStream),
          );
        client.send(...Array.from({ length: 20 }, () => more));
      });
      assert.notEqual(code, 0);
    }
  });

  test('empty DATA, idle PRIORITY, WINDOW_UPDATE and unknown frames without end end their connection', async () => {
    const opened = headersFrame(
      1,
      [':method', 'POST', ':scheme', 'http', ':path', '/o/x', ':authority', 'a'],
      flags.endHeaders,
    );
    const floods: readonly Buffer[] = [
      frame(frameTypes.data, 0, 1),
      frame(frameTypes.data, flags.padded, 1, Buffer.alloc(200, 0).fill(199, 0, 1)),
      windowFrame(1, 1),
      windowFrame(0, 1),
      frame(frameTypes.priority, 0, 3, Buffer.from([0, 0, 0, 1, 1])),
      frame(0xee, 0, 0, Buffer.alloc(64)),
    ];
    for (const [i, flood] of floods.entries()) {
      const many = Buffer.concat(Array.from({ length: 20_000 }, () => flood));
      const code = await endOfFlood(async (client, round) => {
        if (round === 0) client.send(opened);
        client.send(many);
        await eventually(
          'it is taken',
          () => client.socket.writableLength < many.length || client.isClosed,
          5_000,
        );
      });
      assert.notEqual(code, 0, `flood ${i}`);
    }
  });

  test('pseudo-headers that are missing, doubled, late or unknown reach no server', async () => {
    const good = [':method', 'GET', ':scheme', 'http', ':path', '/o/bad', ':authority', 'a.test'];
    const bad: readonly (readonly string[])[] = [
      good.slice(2),
      good.slice(0, 4).concat(good.slice(6)),
      [...good.slice(0, 2), ...good.slice(4)],
      [...good, ':path', '/o/bad2'],
      [...good, ':method', 'POST'],
      [...good, ':authority', 'b.test'],
      ['x-a', 'b', ...good],
      [...good, ':status', '200'],
      [...good, ':protocol', 'websocket'],
      [...good, ':x', 'y'],
      [...good, 'host', 'b.test'],
      [...good, 'connection', 'close'],
      [...good, 'transfer-encoding', 'chunked'],
      [...good, 'upgrade', 'h2c'],
      [...good, 'keep-alive', '1'],
      [...good, 'te', 'gzip'],
      [...good, 'X-Upper', 'a'],
      [...good, 'content-length', '5'],
      [...good, 'content-length', '-1'],
      [...good, 'content-length', '1', 'content-length', '2'],
      [':method', '', ...good.slice(2)],
      [':method', 'GE T', ...good.slice(2)],
      [...good.slice(0, 4), ':path', '', ...good.slice(6)],
      [...good.slice(0, 4), ':path', 'o/bad', ...good.slice(6)],
      [...good.slice(0, 4), ':path', 'http://a.test/o/bad', ...good.slice(6)],
      [...good.slice(0, 4), ':path', '/o/bad b', ...good.slice(6)],
      [...good.slice(0, 2), ':scheme', 'ftp', ...good.slice(4)],
      [...good.slice(0, 6), ':authority', 'a.test,b.test'],
      [...good.slice(0, 6), ':authority', 'user@a.test'],
      [':method', 'CONNECT', ':authority', 'a.test:443'],
    ];
    const before = seen.length;
    for (const fields of bad) {
      const client = await openFrames(bench.port);
      client.send(headersFrame(1, fields));
      const end = await client.until(`an end of ${fields.join(' ')}`, ({ type, stream }) => {
        return (
          type === frameTypes.goaway ||
          (stream === 1 && (type === frameTypes.reset || type === frameTypes.headers))
        );
      });
      if (end.type === frameTypes.headers)
        assert.doesNotMatch(end.payload.toString('latin1'), /^\x88/, fields.join(' '));
      client.destroy();
    }
    assert.equal(seen.length, before);
  });

  test('a field that is malformed goes nowhere', async () => {
    for (const [name, value] of [
      ['x bad', 'b'],
      ['x-bad', 'a\r\nx-c: d'],
      ['x-bad', 'a\0b'],
      ['x-bad', 'a\nb'],
      ['', 'b'],
      ['x-bad:', 'b'],
    ] as const) {
      const client = await openFrames(bench.port);
      client.send(getFrame(1, '/o/field', [name, value]));
      await client
        .until(
          'an end',
          ({ type, stream }) => stream === 1 && (type === frameTypes.reset || type === frameTypes.headers),
        )
        .catch(() => null);
      client.destroy();
    }
    assert.doesNotMatch(fields.join('\n'), /bad|x-c/);
  });

  test('a head that is too long, or has too many lines, is refused, and the next one served', async () => {
    const client = await openFrames(bench.port);
    const lines = Array.from({ length: 2_400 }, (_, i) => (i % 2 === 0 ? `x-${i}` : 'v'));
    const fields = block([
      ':method',
      'GET',
      ':scheme',
      'http',
      ':path',
      '/o/long',
      ':authority',
      'a',
      ...lines,
    ]);
    client.send(frame(frameTypes.headers, flags.endStream, 1, fields.subarray(0, 16_000)));
    client.send(frame(frameTypes.continuation, flags.endHeaders, 1, fields.subarray(16_000)));
    await client.until('an end', ({ type, stream }) => stream === 1 && type !== frameTypes.windowUpdate);
    client.destroy();
    assert.ok(!seen.includes('/o/long'));
    const other = await openFrames(bench.port);
    other.send(getFrame(1, '/o/next'));
    await other.until('an answer', ({ type, stream }) => stream === 1 && type === frameTypes.headers);
    other.destroy();
  });

  test('a body shorter or longer than its Content-Length never arrives as a whole one', async () => {
    for (const body of ['ab', 'abcdefgh']) {
      const client = await openFrames(bench.port, { tls: true });
      const fields = [
        ':method',
        'POST',
        ':scheme',
        'https',
        ':path',
        `/o/length`,
        ':authority',
        'a',
        'content-length',
        '5',
      ];
      client.send(
        headersFrame(1, fields, flags.endHeaders),
        frame(frameTypes.data, flags.endStream, 1, Buffer.from(body)),
      );
      const end = await client
        .until(
          'an end',
          ({ type, stream }) => stream === 1 && (type === frameTypes.reset || type === frameTypes.headers),
        )
        .catch(() => null);
      if (end?.type === frameTypes.headers)
        assert.doesNotMatch(end.payload.toString('latin1'), /^\x88/, body);
      client.destroy();
    }
  });

  test('trailers pass on their way out, and those of a request reach nobody but do no harm', async () => {
    for (const origin of [`http://127.0.0.1:${bench.port}`, `https://127.0.0.1:${bench.port}`]) {
      const session = connectHttp2(origin, { rejectUnauthorized: false });
      const stream = session.request(
        { ':method': 'POST', ':path': '/t/x', te: 'trailers' },
        { waitForTrailers: true, endStream: false },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-request': 'trailer' }));
      stream.end('up');
      let trailers: IncomingHttpHeaders = {};
      stream.on('trailers', (got) => (trailers = got));
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      assert.equal(text, 'body');
      assert.deepEqual([trailers['grpc-status'], trailers['x-sum']], ['0', 'abc']);
      session.close();
    }
  });

  test('100 Continue is said when the body is wanted', async () => {
    const session = connectHttp2(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
    const stream = session.request(
      { ':method': 'POST', ':path': '/o/up', expect: '100-continue', 'content-length': '3' },
      { endStream: false },
    );
    await new Promise<void>((resolve) => stream.on('continue', () => resolve()));
    stream.end('abc');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    assert.equal(text, 'origin');
    session.close();
  });

  test('outside judges agree: curl, nghttp and h2load', {
    skip: !isThere('curl') || !isThere('nghttp') || !isThere('h2load'),
  }, async () => {
    const url = `https://127.0.0.1:${bench.port}/o/judge`;
    const judged = (command: string, ...args: string[]): Promise<string> => run(command, args);
    await Promise.all([
      judged('curl', '-sk', '--http2', '-w', ' %{http_version} %{http_code}', url).then((out) =>
        assert.equal(out, 'origin 2 200'),
      ),
      judged(
        'curl',
        '-s',
        '--http2-prior-knowledge',
        '-w',
        ' %{http_version} %{http_code}',
        url.replace('https', 'http'),
      ).then((out) => assert.equal(out, 'origin 2 200')),
      judged('nghttp', '-nv', url).then((out) => {
        assert.match(out, /:status: 200/);
        assert.doesNotMatch(out, /error_code=(?!NO_ERROR)|INVALID/i);
      }),
      judged('h2load', '-n', '2000', '-c', '8', '-m', '20', url).then((out) => {
        assert.match(out, /2000 succeeded, 0 failed, 0 errored/);
        assert.match(out, /2000 2xx, 0 3xx, 0 4xx, 0 5xx/);
      }),
    ]);
  });
});

describe('HTTP/2 clients that do not read', { timeout: 60_000 }, () => {
  let gateway: TestGateway;
  let written = 0;
  const origin = createServer((request, response) => {
    if (request.url !== '/o/endless') {
      response.end('origin');
      return;
    }
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = (): void => {
      let goesOn = true;
      while (goesOn && !response.destroyed && written < 4 * 2 ** 30) {
        written += piece.length;
        goesOn = response.write(piece);
      }
    };
    response.on('drain', more);
    more();
  });
  before(async () => {
    await new Promise<void>((go) => origin.listen(0, '127.0.0.1', go));
    gateway = await startGateway({ engine: 'node', dynamic: routesTo({ o: urlOf(origin) }) });
  });
  after(async () => {
    await gateway?.stop();
    origin.closeAllConnections();
    origin.close();
  });

  test('endless bodies nobody reads stay with their servers, and others are served', async () => {
    const pid = gateway.workerPids()[0] as number;
    const port = gateway.port('web');
    const before = residentBytes(pid);
    const clients: FrameClient[] = [];
    for (let i = 0; i < 4; i++) {
      // One without any window, one with the largest there is that leaves all in the system's buffers, and so on.
      const settings = [4, i % 2 === 0 ? 0 : 2 ** 31 - 1];
      const client = await openFrames(port, { settings, neverReads: i > 1 });
      if (i % 2 === 1) client.send(windowFrame(0, 2 ** 31 - 1 - 65535));
      if (i === 1) client.socket.pause();
      for (let stream = 1; stream < 40; stream += 2) client.send(getFrame(stream, '/o/endless'));
      clients.push(client);
    }
    let last = -1;
    await eventually(
      'nothing moves any more',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        const isStill = written === last && written > 0;
        last = written;
        return isStill;
      },
      20_000,
    );
    const grown = residentBytes(pid) - before;
    assert.ok(grown < 120e6, `the worker grew by ${Math.round(grown / 1e6)} MB`);
    const other = await openFrames(port);
    other.send(getFrame(1, '/o/other'));
    await other.until('an answer', ({ type }) => type === frameTypes.headers, 2_000);
    for (const client of [...clients, other]) client.destroy();
    await eventually('the servers hear that they are gone', async () => (await connectionsOf(origin)) < 20);
  });
});

function urlOf(server: { address(): unknown }): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}

function isThere(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  let out = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (out += String(chunk)));
  await new Promise((resolve) => child.on('close', resolve));
  return out;
}
