// Bodies that buffering keeps: where they lie, what bounds them, and how they come out again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Replay } from '../../../../src/proxy/middlewares/buffering/replay.ts';
import { Spool } from '../../../../src/proxy/middlewares/buffering/spool.ts';
import { StoredBody } from '../../../../src/proxy/middlewares/buffering/stored-body.ts';
import { build } from './workbench.ts';

const plenty = 1024 * 1024 * 1024;

/** A spool that has taken these bytes, in pieces of 64 KiB, as fast as it lets them. */
async function filled(bytes: Buffer, memBytes: number): Promise<Spool> {
  const spool = new Spool({ memBytes, maxBytes: plenty });
  for (let at = 0; at < bytes.length; at += 65_536) {
    const mayGoOn = spool.take(Buffer.from(bytes.subarray(at, at + 65_536)));
    if (mayGoOn) continue;
    await new Promise<void>((resolve) => {
      spool.onDrain = resolve;
    });
  }
  spool.finish();
  assert.equal(await spool.done, 'whole');
  return spool;
}

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255));
}

/** What a body gives, held back after every piece. */
function drain(body: StoredBody): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    body.pipe({
      data(chunk) {
        parts.push(Buffer.from(chunk));
        setImmediate(() => body.resume());
        return false;
      },
      end: () => resolve(Buffer.concat(parts)),
      abort: () => reject(new Error('aborted')),
    });
  });
}

describe('a spool', () => {
  test('keeps a short body in memory', async () => {
    const spool = await filled(pattern(1000), 1000);
    assert.deepEqual(spool.bytes(), pattern(1000));
    spool.close();
  });

  test('keeps a long one in a file, which can be read again and again', async () => {
    const bytes = pattern(3_000_001);
    const spool = await filled(bytes, 1000);
    assert.equal(spool.bytes(), null);
    const body = new StoredBody(spool);
    assert.deepEqual([body.length, body.collected, body.isPiped], [bytes.length, null, false]);
    assert.equal((await drain(body)).equals(bytes), true);
    assert.equal((await drain(body)).equals(bytes), true);
    assert.equal(Buffer.from((await body.collect(plenty)) ?? []).equals(bytes), true);
    assert.equal(await body.collect(10), null);
    spool.close();
    await assert.rejects(drain(body), /aborted/);
  });

  test('holds its sender back while the disk is busy', () => {
    const spool = new Spool({ memBytes: 0, maxBytes: plenty });
    assert.equal(spool.take(Buffer.alloc(1000)), true);
    assert.equal(spool.take(Buffer.alloc(1024 * 1024)), false);
    spool.close();
  });

  test('ends as soon as a body is too long', async () => {
    const spool = new Spool({ memBytes: 100, maxBytes: 10 });
    spool.take(Buffer.alloc(11));
    assert.equal(await spool.done, 'too-long');
    spool.take(Buffer.alloc(11));
    spool.finish();
    spool.close();
    spool.close();
  });

  test('fails when there is no place for its file, and hangs nobody', async () => {
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = '/nowhere/at/all';
    const spool = new Spool({ memBytes: 0, maxBytes: plenty });
    spool.take(Buffer.alloc(100));
    assert.equal(await spool.done, 'failed');
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    assert.equal(spool.take(Buffer.alloc(100)), true);
    spool.close();
  });

  test('may be closed while its file is being opened', async () => {
    const spool = new Spool({ memBytes: 0, maxBytes: plenty });
    spool.take(Buffer.alloc(100));
    spool.close();
    assert.equal(await spool.done, 'failed');
  });
});

test('a replay that is stopped says nothing more', async () => {
  const spool = await filled(pattern(300_000), 0);
  let pieces = 0;
  const replay = new Replay(spool, {
    data() {
      pieces++;
      replay.stop();
      return true;
    },
    end: () => assert.fail('it was stopped'),
    failed: () => assert.fail('it was stopped'),
  });
  replay.start();
  const deadline = performance.now() + 5000;
  while (pieces === 0 && performance.now() < deadline) await new Promise(setImmediate);
  for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
  assert.equal(pieces, 1);
  spool.close();
});

test('options that cannot work are refused', () => {
  assert.throws(() => build('buffering', { maxRequestBodyBytes: -1 }), /0 or more/);
  assert.throws(() => build('buffering', { retryExpression: 'Attempts() < "3"' }), /expected a number/);
});
