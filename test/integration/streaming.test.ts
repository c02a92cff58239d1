// Bodies on their way through the gateway: whole, at once, held back where the other side is slower.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  accessLine,
  exchangeRaw,
  openRaw,
  residentBytes,
  routesTo,
  startWireServer,
  testAccessLog,
  type WireServer,
} from '../support/wire.ts';

const MiB = 1024 * 1024;
const chunk = Buffer.alloc(256 * 1024, 'portcullis ');

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** What the origin does, by the last part of the path. */
const serves: Record<string, Serve> = {};

describe('bodies through the gateway', () => {
  let gateway: TestGateway;
  let origin: Server;
  let wire: WireServer;
  let answerOnWire: (text: string) => string | null = () => null;

  before(async () => {
    origin = createServer((request, response) => {
      response.on('error', () => {});
      const name = new URL(request.url ?? '/', 'http://origin').pathname.split('/').pop() ?? '';
      serves[name]?.(request, response);
    });
    origin.requestTimeout = 0;
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', () => resolve()));
    wire = await startWireServer((socket, text) => {
      const answer = answerOnWire(text);
      if (answer !== null) socket.write(answer, 'latin1');
    });
    gateway = await startGateway({
      static: { accessLog: testAccessLog },
      dynamic: routesTo({ o: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`, w: wire.url }),
    });
  });
  after(async () => {
    await gateway?.stop();
    origin?.closeAllConnections();
    origin?.close();
    await wire?.stop();
  });

  function worker(): number {
    return gateway.workerPids()[0] ?? 0;
  }

  function send(path: string, method: string, headers = {}): ReturnType<typeof httpRequest> {
    return httpRequest({ host: '127.0.0.1', port: gateway.port('web'), path, method, headers, agent: false });
  }

  for (const framing of ['Content-Length', 'chunked'] as const) {
    test(`a download of 1 GiB (${framing}) keeps the worker's memory flat`, async () => {
      const total = 1024 * MiB;
      serves['down'] = (_, response) => {
        if (framing === 'Content-Length') response.setHeader('content-length', total);
        void pour(response, total).then(() => response.end());
      };
      const watch = watchMemory(worker());
      const request = send('/o/down', 'GET');
      request.end();
      const response = await answerOf(request);
      assert.equal(
        response.headers['content-length'],
        framing === 'Content-Length' ? String(total) : undefined,
      );
      let got = 0;
      for await (const part of response) got += (part as Buffer).length;
      assert.equal(got, total);
      assertSmall(watch.stop());
    });

    test(`an upload of 1 GiB (${framing}) keeps the worker's memory flat`, async () => {
      const total = 1024 * MiB;
      serves['up'] = (request, response) => {
        let got = 0;
        request.on('data', (part: Buffer) => (got += part.length));
        request.on('end', () => response.end(`${got} ${request.headers['content-length'] ?? 'chunked'}`));
      };
      const watch = watchMemory(worker());
      const request = send('/o/up', 'POST', framing === 'Content-Length' ? { 'content-length': total } : {});
      // At memory speed the engine would read on after it was told to wait: a network is slower.
      void pour(request, total, pace).then(() => request.end());
      const body = await textOf(await answerOf(request));
      assert.equal(body, `${total} ${framing === 'Content-Length' ? total : 'chunked'}`);
      assertSmall(watch.stop());
    });
  }

  test('a connection whose upload outran the server serves the next one', async () => {
    serves['in'] = (request, response) => {
      request.resume();
      request.on('end', () => response.end('taken'));
    };
    // At memory speed: the last bytes of most bodies arrive after the client was told to wait.
    const body = Buffer.alloc(10 * MiB, 'portcullis ');
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const upload = async (): Promise<string> => {
      const { port } = new URL(gateway.url('web'));
      const headers = { 'content-length': body.length };
      const request = httpRequest({ port, path: '/o/in', method: 'POST', agent, headers, timeout: 10_000 });
      request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
      request.end(body);
      return textOf(await answerOf(request));
    };
    try {
      const answers = await Promise.all(Array.from({ length: 40 }, upload));
      assert.ok(answers.every((answer) => answer === 'taken'));
    } finally {
      agent.destroy();
    }
  });

  test('a slow client holds a fast server back', async () => {
    const idle = residentBytes(worker());
    const total = 256 * MiB;
    let poured = 0;
    serves['fast'] = (_, response) => {
      response.setHeader('content-length', total);
      void pour(response, total, (bytes) => void (poured = bytes)).then(() => response.end());
    };
    const request = send('/o/fast', 'GET');
    request.end();
    const response = await answerOf(request);
    response.pause();
    await settled(() => poured);
    assert.ok(poured < 64 * MiB, `${poured / MiB} MiB left the server`);
    assertFlat(residentBytes(worker()) - idle);
    let got = 0;
    for await (const part of response) got += (part as Buffer).length;
    assert.equal(got, total);
  });

  test('a slow server holds a fast client back', async () => {
    const idle = residentBytes(worker());
    const total = 256 * MiB;
    let asked: IncomingMessage | undefined;
    serves['slow'] = (request, response) => {
      asked = request;
      request.pause();
      request.on('end', () => response.end('all'));
    };
    const request = send('/o/slow', 'POST', { 'content-length': total });
    let poured = 0;
    // Paced, as above: at memory speed it is the engine's reading on that would be measured.
    const progress = (bytes: number): Promise<void> => {
      poured = bytes;
      return pace(bytes);
    };
    void pour(request, total, progress).then(() => request.end());
    await eventually('the server is asked', () => asked !== undefined);
    await settled(() => poured);
    assert.ok(poured < kernelBytes() + 16 * MiB, `${poured / MiB} MiB left the client`);
    assertFlat(residentBytes(worker()) - idle);
    const got = createHash('sha1');
    asked?.on('data', (part: Buffer) => got.update(part)).resume();
    assert.equal(await textOf(await answerOf(request)), 'all');
    const sent = createHash('sha1');
    for (let at = 0; at < total; at += chunk.length) sent.update(chunk);
    assert.equal(got.digest('hex'), sent.digest('hex'));
  });

  test('server-sent events arrive one by one, each at once', async () => {
    let response: ServerResponse | undefined;
    serves['events'] = (_, answer) => {
      response = answer;
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      answer.flushHeaders();
    };
    const client = await openRaw(gateway.port('web'));
    client.write('GET /o/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.until(/content-type: text\/event-stream\r\n/i);
    for (let nth = 1; nth <= 5; nth++) {
      const sent = performance.now();
      response?.write(`data: ${nth}\n\n`);
      await client.until(new RegExp(`data: ${nth}\n\n`), 1000);
      assert.ok(performance.now() - sent < 500);
    }
    response?.end();
    await client.until(/\r\n0\r\n\r\n$/);
    client.destroy();
  });

  test('HEAD keeps the Content-Length and has no body, and the connection goes on', async () => {
    serves['head'] = (_, response) => {
      response.setHeader('content-length', 12345);
      response.end();
    };
    serves['next'] = (_, response) => void response.end('next one');
    const client = await openRaw(gateway.port('web'));
    client.write('HEAD /o/head HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.until(/content-length: 12345\r\n(?:[^\r]+\r\n)*\r\n$/i);
    client.write('GET /o/next HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const text = await client.until(/next one/);
    assert.match(text, /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    client.destroy();
  });

  for (const status of [204, 304]) {
    test(`${status} has no body and no length of one, and the connection goes on`, async () => {
      serves['none'] = (_, response) => void response.writeHead(status, { etag: '"a"' }).end();
      serves['next'] = (_, response) => void response.end('next one');
      const client = await openRaw(gateway.port('web'));
      client.write('GET /o/none HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const head = await client.until(/\r\n\r\n/);
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(head, /etag: "a"\r\n/i);
      assert.doesNotMatch(head, /content-length|transfer-encoding/i);
      client.write('GET /o/next HTTP/1.1\r\nHost: localhost\r\n\r\n');
      assert.match(await client.until(/next one/), /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
      client.destroy();
    });
  }

  test('a body the server puts on a 204 does not reach the client', async () => {
    answerOnWire = () => 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
    const text = await exchangeRaw(gateway.port('web'), '/w/204');
    assert.match(text, /^HTTP\/1\.1 204 /);
    assert.doesNotMatch(text, /poison/);
  });

  test('Expect: 100-continue is answered before the body is sent', async () => {
    serves['expect'] = (request, response) => {
      assert.equal(request.headers.expect, undefined);
      request.resume().on('end', () => response.end('got it'));
    };
    const client = await openRaw(gateway.port('web'));
    client.write(
      'POST /o/expect HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    );
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.write('hello');
    assert.match(await client.until(/got it/), /\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    client.destroy();
  });

  test('an answer before the end of the upload reaches the client, and the connection ends', async () => {
    answerOnWire = (text) =>
      /\r\n\r\n.{10}/s.test(text)
        ? 'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'
        : null;
    const client = await openRaw(gateway.port('web'));
    client.write(
      `POST /w/early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(20_000)}`,
    );
    const text = await client.closed();
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /big/);
    assert.equal((await accessLine(gateway, '/w/early'))['DownstreamStatus'], 413);
  });

  test('header lines of the answer: cookies stay apart, hop-by-hop and trailers go, Date comes once', async () => {
    answerOnWire = () =>
      'HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nServer: mine\r\nSet-Cookie: a=1; Path=/\r\nX-Latin: caf\xe9\r\n' +
      'Set-Cookie: b=2\r\nSet-Cookie: c=3\r\nConnection: keep-alive, X-Private\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\n' +
      'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n';
    const text = await exchangeRaw(gateway.port('web'), '/w/lines');
    const cookies = [...text.matchAll(/^set-cookie: (.*)\r$/gim)].map((line) => line[1]);
    assert.deepEqual(cookies, ['a=1; Path=/', 'b=2', 'c=3']);
    assert.equal(text.match(/^date: /gim)?.length, 1);
    assert.match(text, /^server: mine\r$/im);
    assert.match(text, /^x-latin: caf\xe9\r$/im);
    assert.doesNotMatch(text, /x-private|keep-alive|x-sum|trailer|uwebsockets/i);
    assert.match(text, /2\r\nok\r\n0\r\n\r\n$/);
  });

  test('an answer with a header section of 200 kB passes', async () => {
    const lines = Array.from({ length: 90 }, (_, nth) => `X-Line-${nth}: ${'v'.repeat(2200)}\r\n`).join('');
    answerOnWire = () => `HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nok`;
    const text = await exchangeRaw(gateway.port('web'), '/w/large-head');
    assert.equal(text.match(/^x-line-\d+: v{2200}\r$/gim)?.length, 90);
    assert.match(text, /\r\n\r\nok$/);
  });

  test('an answer that ends with its connection arrives whole and chunked', async () => {
    serves['raw-end'] = () => {};
    const closing = await startWireServer(
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end'),
    );
    const second = await startGateway({ dynamic: routesTo({ c: closing.url }) });
    try {
      const text = await exchangeRaw(second.port('web'), '/c');
      assert.match(text, /transfer-encoding: chunked\r\n/i);
      assert.match(text, /d\r\nuntil the end\r\n0\r\n\r\n$/);
    } finally {
      await second.stop();
      await closing.stop();
    }
  });

  test('a small body with its length reaches the server in one piece', async () => {
    serves['small'] = (request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () =>
        response.end(`${request.headers['content-length']} ${request.headers['transfer-encoding']} ${text}`),
      );
    };
    const request = send('/o/small', 'PUT', { 'content-length': 5 });
    request.write('ab');
    request.end('cde');
    assert.equal(await textOf(await answerOf(request)), '5 undefined abcde');
    const line = await accessLine(gateway, '/o/small');
    assert.equal(line['RequestContentSize'], 5);
    assert.equal(line['DownstreamContentSize'], 17);
  });
});

describe('timeouts of an entry point', () => {
  let gateway: TestGateway;
  let origin: Server;

  before(async () => {
    origin = createServer((request, response) => {
      request.on('error', () => {});
      request.resume().on('end', () => {
        if (request.url === '/t/endless') response.writeHead(200).write('begin');
        else response.end('done');
      });
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', () => resolve()));
    gateway = await startGateway({
      static: {
        accessLog: testAccessLog,
        entryPoints: {
          web: { transport: { respondingTimeouts: { readTimeout: '1s' } } },
          limited: { transport: { respondingTimeouts: { writeTimeout: '1s' } } },
        },
      },
      dynamic: routesTo({ t: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }),
    });
  });
  after(async () => {
    await gateway?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  test('readTimeout cuts an upload that stands still', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write('POST /t/stalled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nbegin');
    const started = performance.now();
    await client.closed(5000);
    const took = performance.now() - started;
    assert.ok(took > 900 && took < 4000, `${took} ms`);
    await accessLine(gateway, '/t/stalled');
  });

  test('an upload that moves may take longer than readTimeout', async () => {
    const client = await openRaw(gateway.port('web'));
    client.write('POST /t/moving HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n');
    for (let sent = 0; sent < 60_000; sent += 5000) {
      client.write('x'.repeat(5000));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.match(await client.until(/done/), /^HTTP\/1\.1 200 OK/);
    client.destroy();
  });

  test('an answer may take longer than readTimeout, but not than writeTimeout', async () => {
    const patient = await openRaw(gateway.port('web'));
    const limited = await openRaw(gateway.port('limited'));
    const text = 'GET /t/endless HTTP/1.1\r\nHost: localhost\r\n\r\n';
    patient.write(text);
    limited.write(text);
    const started = performance.now();
    await limited.closed(5000);
    const took = performance.now() - started;
    assert.ok(took > 900 && took < 4000, `${took} ms`);
    assert.equal(patient.isClosed, false);
    patient.destroy();
  });
});

/** Writes `total` bytes, made as they go, as fast as the stream takes them. */
async function pour(
  stream: {
    write(chunk: Uint8Array): boolean;
    once(event: string, listener: () => void): unknown;
    destroyed: boolean;
  },
  total: number,
  progress: (bytes: number) => void | Promise<void> = () => {},
): Promise<void> {
  for (let sent = 0; sent < total && !stream.destroyed; sent += chunk.length) {
    await progress(sent);
    if (!stream.write(chunk)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  }
}

/** 200 MB/s. */
async function pace(sent: number): Promise<void> {
  if (sent % (2 * MiB) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

function answerOf(request: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.once('response', resolve).once('error', reject));
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response) text += (part as Buffer).toString();
  return text;
}

/** Waits until a number has stood still for half a second. */
async function settled(value: () => number): Promise<void> {
  let last = -1;
  let since = performance.now();
  await eventually(
    'it stands still',
    () => {
      if (value() !== last) {
        last = value();
        since = performance.now();
      }
      return last > 0 && performance.now() - since > 500;
    },
    20_000,
  );
}

/** The most memory a process had, bytes. */
function watchMemory(pid: number): { stop(): number } {
  let peak = residentBytes(pid);
  const look = (): void => {
    peak = Math.max(peak, residentBytes(pid));
  };
  const timer = setInterval(look, 20);
  return {
    stop() {
      look();
      clearInterval(timer);
      return peak;
    },
  };
}

/** What the kernel itself may hold of a stream through two connections, with buffers grown to their limits. */
function kernelBytes(): number {
  const limit = (name: string) =>
    Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/)[2]);
  return 2 * (limit('tcp_rmem') + limit('tcp_wmem'));
}

function assertSmall(peak: number): void {
  assert.ok(peak < 150e6, `the worker had ${peak / 1e6} MB`);
}

/** Garbage between two collections, and what the engine reads after it was told to wait: no more may a body leave. */
function assertFlat(growth: number): void {
  assert.ok(growth < 400e6, `the worker grew by ${growth / 1e6} MB`);
}
