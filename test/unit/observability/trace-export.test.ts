// Spans on their way to a collector: what waits is bounded, and so is every wait for one that does not answer.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLog } from '../../../src/observability/log.ts';
import { type Collector, SpanQueue } from '../../../src/observability/trace-export.ts';
import { Span, type SpanHome } from '../../../src/observability/trace-span.ts';

const place = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '', isRemote: false, state: '' };
const home: SpanHome = {
  resource: { attributes: {}, merge: (other) => other ?? home.resource, getRawAttributes: () => [] },
  instrumentationScope: { name: 'test' },
  take: () => {},
};

interface Opened {
  readonly queue: SpanQueue;
  take(count: number): void;
  /** Batches so far, by their sizes. */
  readonly sent: readonly number[];
  readonly counts: { loaded: number; closed: number };
  log(): Promise<string>;
}

function open(t: TestContext, send: Collector['send']): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'spans-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const filePath = join(folder, 'log');
  const log = createLog({ level: 'info', format: 'common', noColor: true, filePath });
  const sent: number[] = [];
  const counts = { loaded: 0, closed: 0 };
  const queue = new SpanQueue(async () => {
    counts.loaded += 1;
    return {
      send(spans) {
        sent.push(spans.length);
        return send(spans);
      },
      close: () => void (counts.closed += 1),
    };
  }, log);
  return {
    queue,
    sent,
    counts,
    take(count) {
      const begin = { name: 'a', kind: 'internal', startedAt: 0 } as const;
      for (let left = count; left > 0; left -= 1) queue.take(new Span(home, place, begin));
    },
    async log() {
      await log.flush();
      return readFileSync(filePath, 'utf8');
    },
  };
}

const never = (): Promise<void> => new Promise(() => {});

test('behind a batch that hangs wait 8,192 spans and no more, and the end is not held up by them', async (t) => {
  const { queue, take, sent, counts, log } = open(t, never);
  take(20_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, [512]);
  assert.equal(queue.dropped, 20_000 - 512 - 8_192);
  const started = performance.now();
  await queue.close(100);
  assert.ok(performance.now() - started < 1_000);
  assert.equal(queue.dropped, 20_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(counts.closed, 1);
  assert.equal((await log()).match(/do not reach/g)?.length, 1);
  take(1);
  assert.equal(queue.dropped, 20_001);
});

test('all that waits leaves at the end, in batches of 512', async (t) => {
  const { queue, take, sent, log } = open(t, () => Promise.resolve());
  take(1_100);
  await queue.close(5_000);
  assert.deepEqual(sent, [512, 512, 76]);
  assert.equal(queue.dropped, 0);
  assert.equal(await log(), '');
});

test('a collector that refuses is asked once a second, however many spans there are, and anew each time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isWell = false;
  const { queue, take, sent, counts, log } = open(t, () =>
    isWell ? Promise.resolve() : Promise.reject(new Error('not now')),
  );
  const turns = async (): Promise<void> => {
    for (let left = 20; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  take(8_000);
  await turns();
  assert.deepEqual(sent, [512]);
  take(500);
  t.mock.timers.tick(999);
  await turns();
  assert.equal(sent.length, 1);
  t.mock.timers.tick(1);
  await turns();
  assert.equal(sent.length, 2);
  assert.deepEqual(counts, { loaded: 2, closed: 2 });
  isWell = true;
  t.mock.timers.tick(1_000);
  await turns();
  // Well again, all full batches follow without a pause.
  assert.deepEqual(sent.slice(2), Array<number>(14).fill(512));
  t.mock.timers.tick(1_000);
  await turns();
  assert.equal(sent.at(-1), 308);
  assert.equal(queue.dropped, 1_024);
  const text = await log();
  assert.equal(text.match(/do not reach/g)?.length, 1);
  assert.match(text, /reason="not now"/);
  assert.equal(text.match(/again/g)?.length, 1);
});

test('an answer that never comes is given up after 11 seconds, and its connection with it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isWell = false;
  const { queue, take, sent, counts, log } = open(t, () => (isWell ? Promise.resolve() : never()));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  take(600);
  await turn();
  t.mock.timers.tick(10_999);
  await turn();
  assert.equal(counts.closed, 0);
  isWell = true;
  t.mock.timers.tick(1);
  await turn();
  assert.equal(counts.closed, 1);
  assert.equal(queue.dropped, 512);
  t.mock.timers.tick(1_000);
  await turn();
  assert.deepEqual(sent, [512, 88]);
  assert.match(await log(), /no answer within 11 s/);
});
