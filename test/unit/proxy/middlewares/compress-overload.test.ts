// A worker that compresses as much as it may: what comes on top passes as it is, and says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Downstream } from '../../../../src/proxy/downstream.ts';
import type { HeaderList } from '../../../../src/proxy/headers.ts';
import { codecs } from '../../../../src/proxy/middlewares/compress/codecs.ts';
import { CompressFilter } from '../../../../src/proxy/middlewares/compress/filter.ts';

/** Of the answers compressed at a time, as the filter has it. */
const most = 512;

class Below implements Downstream {
  onDrain: (() => void) | null = null;
  onAbort: (() => void) | null = null;
  aborted = false;
  headers: HeaderList = [];
  body = '';
  isOver = false;
  respond(_status: number, headers: HeaderList, body: string | Uint8Array): void {
    this.headers = headers;
    this.body = Buffer.from(body as Uint8Array).toString('latin1');
    this.isOver = true;
  }
  begin(_status: number, headers: HeaderList): void {
    this.headers = headers;
  }
  write(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString('latin1');
    return true;
  }
  finish(): void {
    this.isOver = true;
  }
  abort(): void {
    this.isOver = true;
  }
}

function filter(below: Below, isDecided: boolean): CompressFilter {
  const plan = { codec: codecs.gzip, flushes: false, least: 1, isDecided, isWanted: null };
  return new CompressFilter(below, plan);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
}

test('beyond the bound an answer leaves plain and without a Content-Encoding, and later ones are compressed again', async () => {
  const busy = Array.from({ length: most }, () => filter(new Below(), true));
  try {
    for (const one of busy) one.begin(200, ['content-encoding', 'gzip'], 100_000);
    for (const isDecided of [true, false]) {
      const below = new Below();
      const last = filter(below, isDecided);
      last.begin(200, isDecided ? ['content-encoding', 'gzip'] : [], null);
      last.write(Buffer.from('plain '));
      await turns(3);
      last.write(Buffer.from('text'));
      last.finish();
      await turns(3);
      assert.deepEqual(
        [below.headers, below.body, below.isOver],
        [[], 'plain text', true],
        String(isDecided),
      );
    }
  } finally {
    for (const one of busy) one.abort();
  }
  await turns(20);
  const below = new Below();
  const next = filter(below, false);
  next.begin(200, [], null);
  next.write(Buffer.from('text'));
  next.finish();
  assert.deepEqual(below.headers, ['content-encoding', 'gzip']);
});
