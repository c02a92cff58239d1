// compress behind contentType: an answer without a type is judged by the one that its first bytes give it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Downstream } from '../../../../src/proxy/downstream.ts';
import { armFilters } from '../../../../src/proxy/filters.ts';
import { getHeader, type HeaderList } from '../../../../src/proxy/headers.ts';
import { build, exchange } from './workbench.ts';

const html = Buffer.from(`<html>${'a'.repeat(3_000)}`);
const included = { includedContentTypes: ['text/html'], encodings: ['gzip'] };
const excluded = { excludedContentTypes: ['text/html'], encodings: ['gzip'] };

interface Sent {
  readonly type: string | null;
  readonly encoding: string | null;
  /** The field and the length that the listener is told. */
  readonly lengths: readonly [string | null, number | null];
  readonly body: string;
}

for (const [what, send] of [
  ['whole', (to: Downstream, headers: HeaderList) => to.respond(200, headers, html, false)],
  ['streamed', (to: Downstream, headers: HeaderList) => stream(to, headers, null)],
  ['of a known length', (to: Downstream, headers: HeaderList) => stream(to, headers, html.length)],
] as const) {
  const headers = (): HeaderList =>
    what === 'of a known length' ? ['content-length', String(html.length)] : [];

  test(`an answer ${what} is compressed when the type it gets is included`, async () => {
    const sent = await run(included, headers(), send);
    assert.deepEqual(
      [sent.type, sent.encoding, sent.lengths],
      ['text/html; charset=utf-8', 'gzip', [null, null]],
    );
    assert.equal(gunzipSync(Buffer.from(sent.body, 'latin1')).equals(html), true);
  });

  test(`an answer ${what} stays as it is when the type it gets is excluded`, async () => {
    const sent = await run(excluded, headers(), send);
    const [length = null] = headers().slice(1);
    assert.deepEqual([sent.type, sent.encoding, sent.body], ['text/html; charset=utf-8', null, String(html)]);
    assert.deepEqual(sent.lengths, [length, length === null ? null : Number(length)]);
  });
}

test('an answer that nobody names is judged at its head, as before', async () => {
  const x = exchange({ headers: ['accept-encoding', 'gzip'] });
  x.status = 200;
  x.responseHeaders = [];
  const compress = build('compress', included);
  compress.request(x);
  compress.response(x);
  assert.equal(x.filters, null);
});

/** What the client gets of an answer that passes contentType and, further out, compress. */
async function run(
  options: unknown,
  headers: HeaderList,
  send: (to: Downstream, headers: HeaderList) => void,
): Promise<Sent> {
  const client = new Client();
  const x = exchange({ headers: ['accept-encoding', 'gzip'], downstream: client });
  x.status = 200;
  x.responseHeaders = headers;
  const compress = build('compress', options);
  compress.request(x);
  build('contentType', {}).response(x);
  compress.response(x);
  const ended = new Promise<void>((resolve) => armFilters(x, () => resolve()));
  send(x.downstream, x.responseHeaders);
  await ended;
  const { headers: got, length, body } = client;
  return {
    type: getHeader(got, 'content-type'),
    encoding: getHeader(got, 'content-encoding'),
    lengths: [getHeader(got, 'content-length'), length],
    body,
  };
}

function stream(to: Downstream, headers: HeaderList, length: number | null): void {
  to.begin(200, headers, length);
  to.write(html.subarray(0, 1_500));
  to.write(html.subarray(1_500));
  to.finish();
}

class Client implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  headers: HeaderList = [];
  length: number | null = null;
  body = '';
  respond(_status: number, headers: HeaderList, body: string | Uint8Array): void {
    this.headers = headers;
    this.body = Buffer.from(body as Uint8Array).toString('latin1');
  }
  begin(_status: number, headers: HeaderList, length: number | null): void {
    this.headers = headers;
    this.length = length;
  }
  write(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString('latin1');
    return true;
  }
  finish(): void {}
  abort(): void {}
}
