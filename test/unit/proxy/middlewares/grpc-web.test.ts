// gRPC-Web: what becomes of requests and answers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BodySink, RequestBody } from '../../../../src/proxy/body.ts';
import type { Downstream } from '../../../../src/proxy/downstream.ts';
import type { Exchange } from '../../../../src/proxy/exchange.ts';
import { getHeader, type HeaderList } from '../../../../src/proxy/headers.ts';
import { ANSWERED, CONTINUE } from '../../../../src/proxy/hooks.ts';
import { sendHead, finishStream } from '../../../../src/proxy/respond.ts';
import { build, exchange } from './workbench.ts';

/** Gives its chunks one after the other. */
function bodyOf(...chunks: readonly string[]): RequestBody {
  return {
    length: null,
    received: 0,
    isPiped: false,
    collected: null,
    pipe(sink) {
      for (const chunk of chunks) sink.data(Buffer.from(chunk));
      sink.end();
    },
    resume() {},
    discard() {},
    collect: () => Promise.resolve(null),
  };
}

function read(body: RequestBody | null): { text: string; end: 'end' | 'abort' | '' } {
  const seen: { text: string; end: 'end' | 'abort' | '' } = { text: '', end: '' };
  const sink: BodySink = {
    data(chunk) {
      seen.text += Buffer.from(chunk).toString('latin1');
      return true;
    },
    end: () => void (seen.end = 'end'),
    abort: () => void (seen.end = 'abort'),
  };
  body?.pipe(sink);
  return seen;
}

class Client implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  bytes = Buffer.alloc(0);
  headers: HeaderList = [];
  isFinished = false;
  respond(_status: number, headers: HeaderList, body: string | Uint8Array): void {
    this.headers = headers;
    this.bytes = Buffer.from(body as Uint8Array);
    this.isFinished = true;
  }
  begin(_status: number, headers: HeaderList): void {
    this.headers = headers;
  }
  write(chunk: Uint8Array): boolean {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    return true;
  }
  finish(): void {
    this.isFinished = true;
  }
  abort(): void {
    this.aborted = true;
  }
}

function call(type: string, body: RequestBody | null = null, origin = 'https://a.test'): Exchange {
  return exchange({ method: 'POST', headers: ['content-type', type, 'origin', origin], body });
}

/** Sends a gRPC answer through the response hook and the filter. */
function answerOf(type: string, trailers: HeaderList | null, chunks: readonly string[]): Client {
  const middleware = build('grpcWeb', { allowOrigins: 'https://a.test' });
  const client = new Client();
  const x = exchange({
    method: 'POST',
    headers: ['content-type', type, 'origin', 'https://a.test'],
    downstream: client,
  });
  middleware.request(x);
  x.status = 200;
  x.responseHeaders = ['content-type', 'application/grpc+proto', 'content-length', '5', 'x-own', '1'];
  middleware.response(x);
  sendHead(x, null);
  for (const chunk of chunks) x.downstream.write(Buffer.from(chunk));
  x.trailers = trailers;
  finishStream(x);
  assert.equal(x.ended, true);
  assert.equal(client.isFinished, true);
  return client;
}

describe('requests', () => {
  const { request } = build('grpcWeb', { allowOrigins: ['*'] });

  test('become gRPC by their type, and ask for trailers', () => {
    for (const [from, to] of [
      ['application/grpc-web', 'application/grpc'],
      ['application/grpc-web+proto', 'application/grpc+proto'],
      ['application/grpc-web-text+proto', 'application/grpc+proto'],
      ['application/grpc', 'application/grpc'],
      ['text/plain', 'text/plain'],
    ] as const) {
      const x = call(from);
      assert.equal(request(x), CONTINUE);
      assert.equal(getHeader(x.headers, 'content-type'), to);
      assert.equal(getHeader(x.headers, 'te'), from.includes('-web') ? 'trailers' : null);
    }
  });

  test('in text are decoded as they come, wherever they are cut and padded', () => {
    const text = 'AAAAAAI=CgAB' + Buffer.from('the end!').toString('base64');
    const expected = '\0\0\0\0\x02\n\0\x01the end!';
    for (let cut = 0; cut <= text.length; cut++) {
      const x = call('application/grpc-web-text', bodyOf(text.slice(0, cut), text.slice(cut)));
      request(x);
      assert.deepEqual(read(x.body), { text: expected, end: 'end' }, `cut at ${cut}`);
    }
  });

  test('in text that is no base64 are broken off', () => {
    for (const text of ['AAA', 'A===', 'AA=A', '%%%%', 'AAAA\r\n']) {
      const x = call('application/grpc-web-text', bodyOf(text));
      request(x);
      assert.equal(read(x.body).end, 'abort', text);
    }
  });

  test('that run twice are decoded once', () => {
    const x = call('application/grpc-web-text', bodyOf('QUJD'));
    const state = x.rememberRequest();
    request(x);
    x.restoreRequest(state);
    request(x);
    assert.equal(getHeader(x.headers, 'content-type'), 'application/grpc');
    assert.equal(read(x.body).text, 'ABC');
  });
});

describe('answers', () => {
  test('end in a frame that holds the trailers', () => {
    const client = answerOf(
      'application/grpc-web+proto',
      ['grpc-status', '0', 'grpc-message', 'ok'],
      ['body'],
    );
    const trailers = 'grpc-status: 0\r\ngrpc-message: ok\r\n';
    assert.equal(
      client.bytes.toString('latin1'),
      `body\x80\0\0\0${String.fromCharCode(trailers.length)}${trailers}`,
    );
    assert.equal(getHeader(client.headers, 'content-type'), 'application/grpc-web+proto');
    assert.equal(getHeader(client.headers, 'content-length'), null);
  });

  test('in text are base64 piece by piece, the frame too', () => {
    const client = answerOf('application/grpc-web-text', ['grpc-status', '0'], ['a', 'bc']);
    const frame = Buffer.concat([Buffer.from([0x80, 0, 0, 0, 16]), Buffer.from('grpc-status: 0\r\n')]);
    assert.equal(client.bytes.toString(), `YQ==YmM=${frame.toString('base64')}`);
    assert.equal(getHeader(client.headers, 'content-type'), 'application/grpc-web-text+proto');
  });

  test('without trailers get no frame', () => {
    assert.equal(answerOf('application/grpc-web', null, ['x']).bytes.toString(), 'x');
  });

  test('of another type stay as they are', () => {
    const middleware = build('grpcWeb', { allowOrigins: [] });
    const x = call('application/grpc-web-text');
    middleware.request(x);
    x.responseHeaders = ['content-type', 'text/html', 'content-length', '5'];
    middleware.response(x);
    assert.deepEqual(x.responseHeaders, [
      'content-type',
      'text/html',
      'content-length',
      '5',
      'vary',
      'Origin',
    ]);
    assert.equal(x.filters, null);
  });

  test('can be read by pages of allowed origins only', () => {
    const client = answerOf('application/grpc-web', null, []);
    assert.equal(getHeader(client.headers, 'access-control-allow-origin'), 'https://a.test');
    assert.equal(getHeader(client.headers, 'access-control-allow-credentials'), 'true');
    assert.match(
      getHeader(client.headers, 'access-control-expose-headers') ?? '',
      /^Grpc-Status, Grpc-Message, Content-Type, X-Own/,
    );
    const middleware = build('grpcWeb', { allowOrigins: ['https://b.test'] });
    const x = call('application/grpc-web');
    middleware.request(x);
    middleware.response(x);
    assert.deepEqual(x.responseHeaders, ['vary', 'Origin']);
  });
});

describe('preflights', () => {
  const preflight = (origin: string, method = 'POST', names = 'x-grpc-web,content-type'): Exchange =>
    exchange({
      method: 'OPTIONS',
      headers: [
        'origin',
        origin,
        'access-control-request-method',
        method,
        'access-control-request-headers',
        names,
      ],
    });
  const { request } = build('grpcWeb', { allowOrigins: ['https://a.test'] });

  test('of allowed origins are answered with what they ask for', () => {
    const x = preflight('https://a.test');
    assert.equal(request(x), ANSWERED);
    assert.equal(x.status, 204);
    assert.deepEqual(x.responseHeaders.slice(2), [
      'access-control-allow-origin',
      'https://a.test',
      'access-control-allow-methods',
      'POST',
      'access-control-allow-headers',
      'x-grpc-web,content-type',
      'access-control-allow-credentials',
      'true',
      'access-control-max-age',
      '600',
    ]);
  });

  test('of others are answered without any permission', () => {
    for (const x of [preflight('https://b.test'), preflight('https://a.test', 'DELETE')]) {
      assert.equal(request(x), ANSWERED);
      assert.equal(getHeader(x.responseHeaders, 'access-control-allow-origin'), null);
    }
  });

  test('that are not for gRPC-Web go on', () => {
    assert.equal(request(preflight('https://a.test', 'POST', 'content-type')), CONTINUE);
  });
});
