// The judge of the hostile requests, judged: what it does not name would pass unseen.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StrictReader } from '../support/strict-request.ts';

const told = 'host: a.test\r\nx-forwarded-for: 127.0.0.1\r\nx-real-ip: 127.0.0.1\r\n';

describe('the strict recorder', () => {
  test('takes what has one meaning, in whatever pieces it comes', () => {
    const texts = [
      `GET /a?b=c HTTP/1.1\r\n${told}\r\n`,
      `POST /a HTTP/1.1\r\n${told}content-length: 4\r\n\r\nabcd`,
      `POST /a HTTP/1.1\r\n${told}transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\nA\r\n0123456789\r\n0\r\n\r\n`,
      `GET /a HTTP/1.1\r\n${told}upgrade: websocket\r\nconnection: Upgrade\r\n\r\n`,
    ];
    for (const text of texts) {
      for (let at = 1; at < text.length; at++) {
        const reader = new StrictReader();
        assert.equal(reader.feed(text.slice(0, at)), null);
        const request = reader.feed(text.slice(at));
        assert.deepEqual(request?.flaws, [], text);
        assert.equal(request?.isWhole, true);
        assert.equal(reader.cutOff(), null);
      }
    }
  });

  test('names all that another server might read in another way', () => {
    const head = (lines: string, body = ''): string => `POST /a HTTP/1.1\r\n${told}${lines}\r\n${body}`;
    const ambiguous = [
      head('content-length: 4\r\ncontent-length: 4\r\n', 'abcd'),
      head('content-length: 4\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
      head('content-length: +4\r\n', 'abcd'),
      head('content-length: 04\r\n', 'abcd'),
      head('transfer-encoding: identity\r\n'),
      head('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
      head('content_length: 4\r\n'),
      head('transfer.encoding: chunked\r\n'),
      ...['3 ', '0x3', '3;a', ' 3', '+3', '3\r'].map((size) =>
        head('transfer-encoding: chunked\r\n', `${size}\r\nabc\r\n0\r\n\r\n`),
      ),
      head('transfer-encoding: chunked\r\n', '3\nabc\r\n0\r\n\r\n'),
      head('transfer-encoding: chunked\r\n', '3\r\nabcd\r\n0\r\n\r\n'),
      head('transfer-encoding: chunked\r\n', '0\r\nx: y\r\n\r\n'),
      head('x-a: a\r\n b\r\n'),
      ...['x-a : 1', 'x a: 1', ': 1', 'x-a', 'x-a: a\rb', 'x-a: a\nb', 'x-a: \0', 'x\x80: 1'].map((line) =>
        head(`${line}\r\n`),
      ),
      head('host: b.test\r\n'),
      head('connection: x-a\r\n'),
      head('te: chunked\r\n'),
      head('expect: 100-continue\r\n'),
      head('content-length: 4\r\n', 'abcdGET /'),
      head('', 'x'),
      ...[
        'GET  /a HTTP/1.1',
        'GET /a HTTP/1.0',
        'GET a HTTP/1.1',
        'GET /a#b HTTP/1.1',
        'GET /a\x80 HTTP/1.1',
        'G T /a HTTP/1.1',
        'CONNECT /a HTTP/1.1',
        'GET http://a.test/ HTTP/1.1',
      ].map((line) => `${line}\r\n${told}\r\n`),
      'GET /smuggled HTTP/1.1\r\nhost: a.test\r\n\r\n',
      `GET /a HTTP/1.1\r\n${told.replaceAll('127.0.0.1', '1.2.3.4')}\r\n`,
    ];
    for (const text of ambiguous) {
      const request = new StrictReader().feed(text);
      assert.ok(request !== null && request.flaws.length > 0, JSON.stringify(text));
    }
  });

  test('a request that breaks off is never whole', () => {
    for (const text of [`POST /a HTTP/1.1\r\n${told}content-length: 4\r\n\r\nabc`, 'GET /a HT']) {
      const reader = new StrictReader();
      assert.equal(reader.feed(text), null);
      assert.equal(reader.cutOff()?.isWhole, false);
    }
  });
});
