// compress on the wire: what is compressed, how, and that every byte comes out again.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { TestGateway } from '../support/gateway.ts';
import { type Setup, setUp, tearDown } from '../support/middleware-setup.ts';
import type { Origin } from '../support/origin.ts';

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

describe('compress', () => {
  let setup: Setup;
  let origin: Origin;
  let gateway: TestGateway;
  before(async () => {
    setup = await setUp({
      plain: { compress: {} },
      order: { compress: { encodings: ['zstd', 'gzip'] } },
      fallback: { compress: { defaultEncoding: 'gzip', minResponseBodyBytes: 0 } },
      excluded: { compress: { excludedContentTypes: ['image/png'] } },
      included: { compress: { includedContentTypes: 'text/html, text/css' } },
      both: { compress: { includedContentTypes: ['a/b'], excludedContentTypes: ['c/d'] } },
      unknown: { compress: { encodings: ['gzip', 'deflate'] } },
    });
    ({ origin, gateway } = setup);
  });
  after(() => tearDown(setup));
  beforeEach(() => answerWith('text/html', page));

  function answerWith(type: string, body: Buffer, headers: Record<string, string> = {}): void {
    origin.answerWith((_request, response) => {
      response.writeHead(200, { 'content-type': type, 'content-length': body.length, ...headers }).end(body);
    });
  }

  const get = (host: string, accepts: string | null, method = 'GET'): Promise<Got> =>
    new Promise((resolve, reject) => {
      const headers = { host: `${host}.test`, ...(accepts === null ? {} : { 'accept-encoding': accepts }) };
      request({ port: gateway.port('web'), method, headers, agent: false, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        });
      })
        .on('timeout', () => reject(new Error('no answer in 10 s')))
        .on('error', reject)
        .end();
    });

  for (const [encoding, decode] of [
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
    ['zstd', zstdDecompressSync],
  ] as const) {
    for (const size of [2000, 100_000, 5_000_000]) {
      test(`${size} bytes come out of ${encoding} as they went in, with and without a length`, async () => {
        const body = Buffer.concat([page, randomBytes(size), Buffer.alloc(size, 'ab')]);
        answerWith('text/plain', body);
        const sized = await get('plain', encoding);
        assert.equal(sized.headers['content-encoding'], encoding);
        assert.equal(sized.headers['vary'], 'Accept-Encoding');
        assert.ok(decode(sized.body).equals(body));
        origin.answerWith((_request, response) => void response.end(body));
        origin.answerWith((_request, response) => {
          response.write(body.subarray(0, 10));
          response.end(body.subarray(10));
        });
        const streamed = await get('plain', encoding);
        assert.equal(streamed.headers['content-encoding'], encoding);
        assert.ok(decode(streamed.body).equals(body));
      });
    }
  }

  test('the client’s weights decide, then the order of encodings', async () => {
    const chosen = async (host: string, accepts: string) =>
      (await get(host, accepts)).headers['content-encoding'];
    assert.equal(await chosen('plain', 'gzip, br, zstd'), 'gzip');
    assert.equal(await chosen('order', 'gzip, br, zstd'), 'zstd');
    assert.equal(await chosen('plain', 'gzip;q=0.5, br;q=0.9'), 'br');
    assert.equal(await chosen('plain', 'gzip;q=0, *'), 'br');
    assert.equal(await chosen('plain', 'deflate'), undefined);
    assert.equal(await chosen('plain', 'identity, gzip;q=0.5'), undefined);
  });

  test('a client that says nothing gets the default, or the body as it is', async () => {
    assert.equal((await get('plain', null)).headers['content-encoding'], undefined);
    assert.equal((await get('fallback', null)).headers['content-encoding'], 'gzip');
  });

  test('what is short, compressed already, a part, or asked for by HEAD stays as it is', async () => {
    answerWith('text/html', Buffer.from('short'));
    const short = await get('plain', 'gzip');
    assert.deepEqual([short.headers['content-encoding'], short.headers['content-length']], [undefined, '5']);
    answerWith('text/html', page, { 'content-encoding': 'x-own' });
    assert.equal((await get('plain', 'gzip')).headers['content-encoding'], 'x-own');
    answerWith('text/html', page, { 'content-range': `bytes 0-${page.length - 1}/99999` });
    assert.equal((await get('plain', 'gzip')).headers['content-encoding'], undefined);
    answerWith('text/html', page);
    const head = await get('plain', 'gzip', 'HEAD');
    assert.deepEqual(
      [head.headers['content-encoding'], head.headers['content-length']],
      [undefined, String(page.length)],
    );
  });

  test('a short body without a length is not compressed either', async () => {
    origin.answerWith((_request, response) => {
      response.write('sho');
      response.end('rt');
    });
    const got = await get('plain', 'gzip');
    assert.deepEqual([got.headers['content-encoding'], got.body.toString()], [undefined, 'short']);
  });

  test('content types are left out or chosen', async () => {
    answerWith('image/png', page);
    assert.equal((await get('excluded', 'gzip')).headers['content-encoding'], undefined);
    assert.equal((await get('included', 'gzip')).headers['content-encoding'], undefined);
    answerWith('text/CSS; charset=utf-8', page);
    assert.equal((await get('excluded', 'gzip')).headers['content-encoding'], 'gzip');
    assert.equal((await get('included', 'gzip')).headers['content-encoding'], 'gzip');
  });

  test('events reach the client one by one', async () => {
    let send: (text: string) => void = () => {};
    origin.answerWith((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      send = (text) => void (text === '' ? response.end() : response.write(text));
      send('data: 1\n\n');
    });
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const headers = { host: 'plain.test', 'accept-encoding': 'gzip' };
      request({ port: gateway.port('web'), headers, agent: false, timeout: 10_000 }, (response) => {
        assert.equal(response.headers['content-encoding'], 'gzip');
        response.pipe(createGunzip()).on('data', (chunk: Buffer) => {
          seen.push(chunk.toString());
          send(seen.length < 4 ? `data: ${seen.length + 1}\n\n` : '');
        });
        response.on('end', resolve);
      })
        .on('timeout', () => reject(new Error(`only ${seen.length} events came`)))
        .on('error', reject)
        .end();
    });
    assert.deepEqual(seen, ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n', 'data: 4\n\n']);
  });

  test('a client that reads slowly holds the server back and gets every byte', async () => {
    const body = randomBytes(8_000_000);
    answerWith('application/octet-stream', body);
    const hash = createHash('sha256');
    await new Promise<void>((resolve, reject) => {
      const headers = { host: 'plain.test', 'accept-encoding': 'gzip' };
      request({ port: gateway.port('web'), headers, agent: false }, (response) => {
        const unpacked = response.pipe(createGunzip());
        unpacked.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          unpacked.pause();
          setImmediate(() => unpacked.resume());
        });
        unpacked.on('end', resolve).on('error', reject);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(hash.digest('hex'), createHash('sha256').update(body).digest('hex'));
  });

  test('contradictory or unknown options are named, and only their routers answer 503', async () => {
    assert.equal((await get('both', 'gzip')).status, 503);
    assert.equal((await get('unknown', 'gzip')).status, 503);
    const messages = (await gateway.status()).diagnostics.map(({ message }) => message).join('\n');
    assert.match(messages, /mutually exclusive/);
    assert.match(messages, /expected gzip, br or zstd/);
    assert.equal((await get('plain', 'gzip')).status, 200);
  });
});

const page: Buffer = Buffer.from('<p>Good evening, and welcome to the gate.</p>\n'.repeat(60));
