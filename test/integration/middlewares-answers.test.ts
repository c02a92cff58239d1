// Middlewares that keep or replace answers, on the wire: errors and buffering.

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createGunzip } from 'node:zlib';
import { eventually } from '../support/gateway.ts';
import { get, headerOf, type Setup, setUp, tearDown } from '../support/middleware-setup.ts';
import { startOrigin } from '../support/origin.ts';
import { openRaw, startWireServer } from '../support/wire.ts';

describe('errors', () => {
  let setup: Setup;
  before(async () => {
    setup = await setUp(
      {
        plain: {
          errors: { status: ['500-599', '404'], service: 'pages', query: '/{status}.html?from={url}' },
        },
        rewritten: {
          errors: {
            status: '500-599',
            statusRewrites: { '500-503': 404 },
            service: 'pages@file',
            query: '{status}/{originalStatus}',
          },
        },
        few: { errors: { status: '503', service: 'pages', errorRequestHeaders: ['X-Wanted'] } },
        'to-dead': { errors: { status: '503', service: 'dead', query: '/' } },
        nowhere: { errors: { status: '503', service: 'pagess', query: '/' } },
      },
      { refused: { use: ['plain'], service: 'dead' } },
    );
  });
  after(() => tearDown(setup));
  beforeEach(() => {
    setup.origin.requests.length = 0;
    setup.pages.requests.length = 0;
    setup.origin.answerWith((request, response) => {
      response.statusCode = Number(request.url?.slice(1, 4));
      response.setHeader('X-Own', 'origin');
      response.end('a long text of the origin');
    });
    setup.pages.answerWith((_request, response) => {
      response.setHeader('Content-Type', 'text/html').setHeader('X-Own', 'page').end('a page');
    });
  });

  test('an answer with a listed status becomes the page, under its own status', async () => {
    const answer = await get(setup, 'plain', { target: '/503?a=b', headers: { 'x-mine': '1' } });
    assert.equal(answer.status, 503);
    assert.equal(answer.body, 'a page');
    assert.equal(headerOf(answer, 'content-length'), '6');
    assert.equal(headerOf(answer, 'x-own'), 'page');
    const [asked] = setup.pages.requests;
    assert.equal(asked?.method, 'GET');
    assert.equal(asked?.target, '/503.html?from=http%3A%2F%2Fplain.test%2F503%3Fa%3Db');
    assert.equal(asked?.headers['x-mine'], '1');
    assert.equal(asked?.headers.host, 'plain.test');
  });

  test('other answers pass as they are', async () => {
    const answer = await get(setup, 'plain', { target: '/403' });
    assert.deepEqual([answer.status, answer.body], [403, 'a long text of the origin']);
    assert.equal(setup.pages.requests.length, 0);
  });

  test('the page of a POST is asked for by GET without its body, and of a HEAD comes without one', async () => {
    const posted = await get(setup, 'plain', { target: '/500', method: 'POST', body: 'hello' });
    assert.deepEqual([posted.status, posted.body], [500, 'a page']);
    const headed = await get(setup, 'plain', { target: '/500', method: 'HEAD' });
    assert.deepEqual([headed.status, headed.body], [500, '']);
    assert.equal(headerOf(headed, 'content-length'), '6');
    for (const { method, body, headers } of setup.pages.requests) {
      assert.deepEqual([method, body, headers['content-length']], ['GET', '', undefined]);
    }
  });

  test('statusRewrites change what the client and the page see', async () => {
    assert.equal((await get(setup, 'rewritten', { target: '/502' })).status, 404);
    assert.equal((await get(setup, 'rewritten', { target: '/504' })).status, 504);
    assert.deepEqual(
      setup.pages.requests.map(({ target }) => target),
      ['/404/502', '/504/504'],
    );
  });

  test('only listed headers reach the page when there is a list', async () => {
    await get(setup, 'few', { target: '/503', headers: { 'x-wanted': 'yes', 'x-other': 'no' } });
    const [asked] = setup.pages.requests;
    assert.deepEqual([asked?.headers['x-wanted'], asked?.headers['x-other']], ['yes', undefined]);
  });

  test('a server that cannot be reached has a page, too', async () => {
    const answer = await get(setup, 'refused');
    assert.deepEqual([answer.status, answer.body], [502, 'a page']);
  });

  test('a page that cannot be had or is too long becomes the status text', async () => {
    const dead = await get(setup, 'to-dead', { target: '/503' });
    assert.deepEqual([dead.status, dead.body], [503, 'Service Unavailable']);
    setup.pages.answerWith((_request, response) => void response.end(Buffer.alloc(5 * 1024 * 1024)));
    const long = await get(setup, 'plain', { target: '/500' });
    assert.deepEqual([long.status, long.body], [500, 'Internal Server Error']);
  });

  test('a client that goes away while its page is asked for ends that, too', async () => {
    let closed = false;
    setup.pages.answerWith((_request, response) => {
      response.on('close', () => (closed = true));
    });
    const client = await openRaw(setup.gateway.port('web'));
    client.write('GET /500 HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await eventually('the page is asked for', () => setup.pages.requests.length > 0);
    client.destroy();
    await eventually('the page is not wanted any more', () => closed);
  });

  test('an unknown service is an error of the middleware, and only its routers answer 503', async () => {
    assert.equal((await get(setup, 'nowhere', { target: '/200' })).status, 503);
    assert.equal(setup.origin.requests.length, 0);
    assert.equal((await get(setup, 'bare', { target: '/200' })).status, 200);
    const { diagnostics } = await setup.gateway.status();
    const found = diagnostics.find(({ code }) => code === 'config.unknown_service');
    assert.match(found?.message ?? '', /middleware nowhere@file: service pagess@file doesn't exist/);
  });

  test('a page service that changes with a reload is the one that is asked', async () => {
    const other = await startOrigin({ name: 'another page' });
    const config = setup.config() as {
      http: { services: { pages: { loadBalancer: { servers: { url: string }[] } } } };
    };
    config.http.services.pages.loadBalancer.servers = [{ url: other.url }];
    await setup.gateway.writeDynamic(config);
    assert.equal((await get(setup, 'plain', { target: '/500' })).body, 'another page');
    await setup.gateway.writeDynamic(setup.config());
    await other.stop();
  });
});

describe('buffering', () => {
  const mega = 1024 * 1024;
  let setup: Setup;
  before(async () => {
    setup = await setUp(
      {
        plain: { buffering: { memRequestBodyBytes: mega } },
        small: { buffering: { maxRequestBodyBytes: 10, maxResponseBodyBytes: 20 } },
        files: { buffering: { memRequestBodyBytes: 10, memResponseBodyBytes: 10 } },
        again: { buffering: { retryExpression: 'ResponseCode() == 503 && Attempts() < 3' } },
        always: { buffering: { retryExpression: 'ResponseCode() >= 500' } },
        net: { buffering: { retryExpression: 'IsNetworkError() && Attempts() <= 2' } },
        wrong: { buffering: { retryExpression: 'Attempts() <' } },
        negative: { buffering: { maxRequestBodyBytes: -1 } },
        zip: { compress: { minResponseBodyBytes: 1 } },
        pages: { errors: { status: '500-599', service: 'pages' } },
        tries: { retry: { attempts: 3, status: '503', retryNonIdempotentMethod: true } },
        strip: { stripPrefix: { prefixes: ['/api'] } },
      },
      {
        zipped: { use: ['zip', 'files'] },
        'zipped-inside': { use: ['files', 'zip'] },
        paged: { use: ['pages', 'small'] },
        retried: { use: ['tries', 'files'] },
        stripped: { use: ['always', 'strip'] },
        twice: { use: ['files', 'files'] },
      },
    );
  });
  after(() => tearDown(setup));
  beforeEach(() => {
    setup.origin.requests.length = 0;
    setup.origin.answerWith((_request, response) => void response.end('origin'));
  });

  test('a chunked body reaches the server whole, with its length', async () => {
    const client = await openRaw(setup.gateway.port('web'));
    client.write('POST / HTTP/1.1\r\nHost: plain.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(setup.origin.requests.length, 0);
    client.write('6\r\n there\r\n0\r\n\r\n');
    await client.until(/\r\n\r\norigin/);
    client.destroy();
    const [seen] = setup.origin.requests;
    assert.deepEqual([seen?.body, seen?.headers['content-length']], ['hello there', '11']);
  });

  test('an answer reaches the client whole, with its length', async () => {
    let finish = (): void => {};
    setup.origin.answerWith((_request, response) => {
      response.write('one ');
      finish = () => void response.end('two');
    });
    const client = await openRaw(setup.gateway.port('web'));
    client.write('GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await eventually('the origin is asked', () => setup.origin.requests.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(client.text(), '');
    finish();
    const text = await client.until(/one two/);
    assert.match(text, /content-length: 7\r\n/i);
    client.destroy();
  });

  test('a request above maxRequestBodyBytes is refused with 413, chunked or not', async () => {
    const answer = await get(setup, 'small', { method: 'POST', body: 'x'.repeat(11) });
    assert.deepEqual([answer.status, answer.body], [413, 'Request Entity Too Large']);
    const client = await openRaw(setup.gateway.port('web'));
    client.write(
      'POST / HTTP/1.1\r\nHost: small.test\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n',
    );
    assert.match(await client.until(/Too Large/), /^HTTP\/1.1 413 /);
    client.destroy();
    assert.equal(setup.origin.requests.length, 0);
    assert.equal((await get(setup, 'small', { method: 'POST', body: 'x'.repeat(10) })).status, 200);
  });

  test('an answer above maxResponseBodyBytes becomes 500, announced or not', async () => {
    setup.origin.answerWith((request, response) => {
      if (request.url === '/chunked') response.write('x'.repeat(15));
      response.end('x'.repeat(request.url === '/fits' ? 20 : 21));
    });
    for (const target of ['/sized', '/chunked']) {
      const answer = await get(setup, 'small', { target });
      assert.deepEqual([answer.status, answer.body], [500, 'Internal Server Error'], target);
    }
    assert.equal((await get(setup, 'small', { target: '/fits' })).body.length, 20);
    const paged = await get(setup, 'paged', { target: '/chunked' });
    assert.deepEqual([paged.status, paged.body], [500, 'a page']);
  });

  test('bodies above mem…Bytes pass through files that have no name', async () => {
    const body = Buffer.alloc(3 * mega, 'abcdefgh').toString();
    setup.origin.answerWith((_request, response, sent) => {
      assert.equal(sent, body);
      response.setHeader('X-Length', sent.length);
      for (let i = 0; i < 8; i++)
        response.write(sent.slice((i * sent.length) / 8, ((i + 1) * sent.length) / 8));
      response.end();
    });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => get(setup, 'files', { method: 'POST', body })),
    );
    for (const answer of answers) {
      assert.equal(answer.body === body, true);
      assert.equal(headerOf(answer, 'content-length'), String(body.length));
    }
    await eventually('nothing is left in the temporary directory', () => leftovers().length === 0);
    const [worker = 0] = setup.gateway.workerPids();
    await eventually('the files are closed', () =>
      openFiles(worker).every((path) => !/portcullis-/.test(path)),
    );
  });

  test('with compress on either side of it answers stay sound', async () => {
    const text = 'all work and no play makes a dull page. '.repeat(20_000);
    setup.origin.answerWith((_request, response) => {
      response.write(text.slice(0, 300_000));
      response.end(text.slice(300_000));
    });
    for (const host of ['zipped', 'zipped-inside', 'twice']) {
      const response = await fetchHost(setup, host);
      assert.equal(response === text, true, host);
    }
  });

  test('a HEAD, a 204 and a 304 pass without a body', async () => {
    setup.origin.answerWith((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      if (response.statusCode === 200) response.setHeader('Content-Length', 1000);
      response.end();
    });
    const head = await get(setup, 'small', { method: 'HEAD', target: '/200' });
    assert.equal(head.status, 200);
    const plain = await get(setup, 'plain', { method: 'HEAD', target: '/200' });
    assert.deepEqual([plain.status, headerOf(plain, 'content-length')], [200, '1000']);
    assert.equal((await get(setup, 'plain', { target: '/204' })).status, 204);
    assert.equal((await get(setup, 'plain', { target: '/304' })).status, 304);
  });

  test('retryExpression sends again what it says, with the body, and no oftener than ten times', async () => {
    setup.origin.answerWith((_request, response) => void response.writeHead(503).end('no'));
    const answer = await get(setup, 'again', { method: 'POST', body: 'hello' });
    assert.deepEqual([answer.status, answer.body], [503, 'no']);
    assert.deepEqual(
      setup.origin.requests.map(({ body }) => body),
      ['hello', 'hello', 'hello'],
    );
    setup.origin.requests.length = 0;
    assert.equal((await get(setup, 'stripped', { target: '/api/x' })).status, 503);
    assert.deepEqual(
      setup.origin.requests.map(({ target }) => target),
      Array.from({ length: 11 }, () => '/x'),
    );
  });

  test('a retry further out sends the stored body again, out of its file', async () => {
    const body = 'y'.repeat(3 * mega);
    let asked = 0;
    setup.origin.answerWith((_request, response) => {
      response.statusCode = ++asked < 3 ? 503 : 200;
      response.end('done');
    });
    const answer = await get(setup, 'retried', { method: 'POST', body });
    assert.deepEqual([answer.status, answer.body], [200, 'done']);
    assert.deepEqual(
      setup.origin.requests.map((seen) => seen.body === body),
      [true, true, true],
    );
  });

  test('a server that breaks off mid-answer becomes 502: nothing of it was sent yet', async () => {
    const wire = await startWireServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      setTimeout(() => socket.destroy(), 30);
    });
    const config = setup.config() as {
      http: { services: { origin: { loadBalancer: { servers: { url: string }[] } } } };
    };
    config.http.services.origin.loadBalancer.servers = [{ url: wire.url }];
    await setup.gateway.writeDynamic(config);
    const answer = await get(setup, 'plain');
    assert.deepEqual([answer.status, answer.body], [502, 'Bad Gateway']);
    const paged = await get(setup, 'paged', { target: '/' });
    assert.equal(paged.status, 500);
    await setup.gateway.writeDynamic(setup.config());
    await wire.stop();
  });

  test('a client that goes away while its request or answer is stored leaves nothing behind', async () => {
    const [worker = 0] = setup.gateway.workerPids();
    const half = await openRaw(setup.gateway.port('web'));
    half.write(`POST /half HTTP/1.1\r\nHost: files.test\r\nContent-Length: ${2 * mega}\r\n\r\n`);
    half.write('z'.repeat(mega));
    await eventually('a file is open', () => openFiles(worker).some((path) => /portcullis-/.test(path)));
    half.destroy();
    await eventually('it is closed', () => openFiles(worker).every((path) => !/portcullis-/.test(path)));

    let closed = false;
    setup.origin.answerWith((_request, response) => {
      response.on('close', () => (closed = true));
      response.write('z'.repeat(mega));
    });
    const waiting = await openRaw(setup.gateway.port('web'));
    waiting.write('GET / HTTP/1.1\r\nHost: files.test\r\n\r\n');
    await eventually('a file is open', () => openFiles(worker).some((path) => /portcullis-/.test(path)));
    waiting.destroy();
    await eventually('the server is let go', () => closed);
    await eventually('it is closed', () => openFiles(worker).every((path) => !/portcullis-/.test(path)));
    assert.doesNotMatch(setup.gateway.logs(), /cannot be kept/);
  });

  test('bad options are told with their place, and only their routers answer 503', async () => {
    assert.equal((await get(setup, 'wrong')).status, 503);
    assert.equal((await get(setup, 'negative')).status, 503);
    assert.equal((await get(setup, 'plain')).status, 200);
    const messages = (await setup.gateway.status()).diagnostics.map(({ message }) => message).join('\n');
    assert.match(messages, /the expression cannot be read: at character 13: expected a number/);
    assert.match(messages, /expected a number of bytes, 0 or more/);
  });

  test('a shutdown waits for an answer that is still being stored', async () => {
    let finish = (): void => {};
    setup.origin.answerWith((_request, response) => {
      response.write('z'.repeat(100));
      finish = () => void response.end('the end');
    });
    const waiting = get(setup, 'files');
    await eventually('the origin is asked', () => setup.origin.requests.length === 1);
    setup.gateway.signal('SIGTERM');
    await setup.gateway.waitForLog(/"signal":"SIGTERM"|SIGTERM|shutting down|drain/i);
    finish();
    assert.match((await waiting).body, /the end$/);
    assert.equal((await setup.gateway.exited).code, 0);
  });
});

/** What a gateway left in the temporary directory: spools are files. */
function leftovers(): string[] {
  return readdirSync(tmpdir(), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('portcullis-'))
    .map(({ name }) => name);
}

function openFiles(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).map((fd) => {
    try {
      return readlinkSync(`${dir}/${fd}`);
    } catch {
      return '';
    }
  });
}

/** The body as a client that understands gzip reads it. */
async function fetchHost({ gateway }: Setup, host: string): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: gateway.port('web'),
        headers: { host: `${host}.test`, 'accept-encoding': 'gzip' },
        agent: false,
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end();
  });
  const isZipped = response.headers['content-encoding'] === 'gzip';
  const parts: Buffer[] = [];
  for await (const part of isZipped ? response.pipe(createGunzip()) : response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
