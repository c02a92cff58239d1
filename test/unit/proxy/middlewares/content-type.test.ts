// contentType: what bytes are taken for, and that a body passes unchanged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Downstream } from '../../../../src/proxy/downstream.ts';
import type { HeaderList } from '../../../../src/proxy/headers.ts';
import { SniffFilter } from '../../../../src/proxy/middlewares/content-type/filter.ts';
import { sniff } from '../../../../src/proxy/middlewares/content-type/sniff.ts';
import { build, exchange } from './workbench.ts';

const octets = 'application/octet-stream';
const html = 'text/html; charset=utf-8';
const plain = 'text/plain; charset=utf-8';

const known: readonly [bytes: string, type: string][] = [
  ['', plain],
  ['\x01\x02\x03', octets],
  ['<HtMl><bOdY>blah', html],
  ['\t\n <!DOCTYPE HTML>', html],
  ['<html', plain],
  ['<htmlx>', plain],
  ['<a>', html],
  ['<p ', html],
  ['<!-- x', html],
  ['\n<?xml!', 'text/xml; charset=utf-8'],
  ['%PDF-1.4', 'application/pdf'],
  ['%!PS-Adobe-3', 'application/postscript'],
  ['\xfe\xff\x00\x55', 'text/plain; charset=utf-16be'],
  ['\xff\xfe\x00\x55', 'text/plain; charset=utf-16le'],
  ['\xef\xbb\xbf\x01', plain],
  ['GIF87a', 'image/gif'],
  ['\x89PNG\x0d\x0a\x1a\x0a', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['RIFF\x0c\x00\x00\x00WEBPVP', 'image/webp'],
  ['RIFFb\xb8\x00\x00WAVEfmt ', 'audio/wave'],
  ['RIFF,O\n\x00AVI LI\xc0\x15', 'video/avi'],
  ['MThd\x00\x00\x00\x06\x00\x01', 'audio/midi'],
  ['OggS\x00', 'application/ogg'],
  ['\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom<\x06t', 'video/mp4'],
  ['\x00\x00\x00\x10ftypM4V mp42', octets],
  ['\x00\x00\x00\x18ftypM4V \x00\x00\x00\x00M4V mp42', 'video/mp4'],
  ['\x1a\x45\xdf\xa3', 'video/webm'],
  ['wOF2', 'font/woff2'],
  ['\x00\x01\x00\x00', 'font/ttf'],
  [`${'\x01'.repeat(34)}LP`, 'application/vnd.ms-fontobject'],
  ['\x1f\x8b\x08', 'application/x-gzip'],
  ['PK\x03\x04', 'application/zip'],
  ['\x00\x61\x73\x6d\x01', 'application/wasm'],
  ['{"a":1}', plain],
  ['caf\xe9', plain],
  [`${'a'.repeat(512)}\x00`, plain],
];
for (const [bytes, type] of known) {
  test(`${JSON.stringify(bytes.slice(0, 40))} is ${type}`, () => {
    assert.equal(sniff(Buffer.from(bytes, 'latin1')), type);
  });
}

class Kept implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  head: readonly [number, HeaderList, number | null] | null = null;
  body = '';
  finished = false;
  respond(status: number, headers: HeaderList, body: string | Uint8Array): void {
    this.head = [status, headers, null];
    this.body = Buffer.from(body as string).toString('latin1');
    this.finished = true;
  }
  begin(status: number, headers: HeaderList, length: number | null): void {
    assert.equal(this.head, null);
    this.head = [status, headers, length];
  }
  write(chunk: Uint8Array): boolean {
    assert.notEqual(this.head, null);
    this.body += Buffer.from(chunk).toString('latin1');
    return false;
  }
  finish(): void {
    this.finished = true;
  }
  abort(): void {
    this.aborted = true;
  }
}

test('a body in small parts is named by the first of them that come together', async () => {
  const below = new Kept();
  const filter = new SniffFilter(below, true);
  filter.begin(200, [], 12);
  const reused = Buffer.from('<ht');
  assert.equal(filter.write(reused), true);
  reused.fill(0);
  filter.write(Buffer.from('ml>'));
  assert.equal(below.head, null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(below.head, [200, ['content-type', html], 12]);
  assert.equal(filter.write(Buffer.from('blabla')), false);
  filter.finish();
  assert.deepEqual([below.body, below.finished], ['<html>blabla', true]);
});

test('a long first part goes on at once, an empty body is not named, a cut one never begins', async () => {
  const long = new Kept();
  const first = new SniffFilter(long, true);
  first.begin(200, [], null);
  assert.equal(first.write(Buffer.alloc(600, 'a')), false);
  assert.deepEqual(long.head?.[1], ['content-type', plain]);

  const empty = new Kept();
  const second = new SniffFilter(empty, true);
  second.begin(200, [], 0);
  second.finish();
  assert.deepEqual([empty.head, empty.finished], [[200, [], 0], true]);

  const cut = new Kept();
  const third = new SniffFilter(cut, true);
  third.begin(200, [], null);
  third.write(Buffer.from('a'));
  third.abort();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([cut.head, cut.aborted], [null, true]);
});

test('only answers with a body and without a type or encoding get the filter', () => {
  const filters = (method: string, status: number, headers: string[]): number => {
    const x = exchange({ method });
    x.status = status;
    x.responseHeaders = headers;
    build('contentType', {}).response(x);
    return x.filters?.length ?? 0;
  };
  assert.equal(filters('GET', 200, []), 1);
  assert.equal(filters('HEAD', 200, []), 0);
  assert.equal(filters('GET', 304, []), 0);
  assert.equal(filters('GET', 200, ['content-type', 'a/b']), 0);
  assert.equal(filters('GET', 200, ['content-encoding', 'gzip']), 0);
});

test('autoDetect is read and said to have no effect', () => {
  assert.deepEqual(build('contentType', { autoDetect: 'false' }).warnings, [
    'test@file: contentType.autoDetect is deprecated and has no effect',
  ]);
});
