// grpcWeb on the wire: a browser's request to a gRPC server that speaks HTTP/2, and its trailers back.

import assert from 'node:assert/strict';
import { createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';

describe('grpcWeb', () => {
  let server: Http2Server;
  let gateway: TestGateway;
  let seen: { headers: IncomingHttpHeaders; body: Buffer } | null = null;
  /** What the server answers before its trailers, piece by piece; none is an answer of trailers only. */
  let pieces: readonly string[] = [];
  before(async () => {
    server = createServer();
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        seen = { headers, body: Buffer.concat(chunks) };
        const head = { ':status': 200, 'content-type': 'application/grpc+proto' };
        if (pieces.length === 0) {
          stream.respond({ ...head, 'grpc-status': '5' }, { endStream: true });
          return;
        }
        stream.respond(head, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
        for (const piece of pieces) stream.write(piece);
        stream.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    gateway = await startGateway({
      dynamic: {
        http: {
          routers: { grpc: { rule: 'PathPrefix(`/`)', service: 'grpc', middlewares: ['web'] } },
          middlewares: { web: { grpcWeb: { allowOrigins: ['https://page.test'] } } },
          services: { grpc: { loadBalancer: { servers: [{ url: `h2c://127.0.0.1:${port}` }] } } },
        },
      },
    });
  });
  after(async () => {
    await gateway?.stop();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    seen = null;
    pieces = ['\0\0\0\0\x03abc'];
  });

  const call = (type: string, body: string | Uint8Array): Promise<Response> =>
    fetch(`${gateway.url('web')}/pkg.Service/Method`, {
      method: 'POST',
      headers: { 'content-type': type, 'x-grpc-web': '1', origin: 'https://page.test' },
      body: body as string,
    });
  const frame = '\x80\0\0\0\x26grpc-status: 0\r\ngrpc-message: fine\r\n';
  const request = Buffer.from('\0\0\0\0\x02hi', 'latin1');

  test('a binary request arrives as gRPC, its trailers come back as the last frame', async () => {
    const answer = await call('application/grpc-web+proto', request);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/grpc-web+proto');
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://page.test');
    const body = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    const expected = `\0\0\0\0\x03abc${frame.replace('\x26', String.fromCharCode(frame.length - 5))}`;
    assert.equal(body, expected);
    assert.equal(seen?.headers['content-type'], 'application/grpc+proto');
    assert.equal(seen?.headers['te'], 'trailers');
    assert.deepEqual(seen?.body, request);
  });

  test('a text request is decoded, and its answer is text', async () => {
    const answer = await call('application/grpc-web-text', request.toString('base64'));
    assert.equal(answer.headers.get('content-type'), 'application/grpc-web-text+proto');
    assert.deepEqual(seen?.body, request);
    const text = await answer.text();
    assert.ok(text.startsWith(Buffer.from('\0\0\0\0\x03abc', 'latin1').toString('base64')), text);
    assert.match(text, /=?gAAAA/);
  });

  test('an answer of trailers only has its status in the head', async () => {
    pieces = [];
    const answer = await call('application/grpc-web', request);
    assert.equal(answer.headers.get('grpc-status'), '5');
    assert.equal((await answer.arrayBuffer()).byteLength, 0);
  });
});
