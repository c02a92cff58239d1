// Spans on their way to the collector: gathered, sent in batches one after the other, dropped when they come
// faster than they leave. Requests never wait for any of it.

import type { Log } from './log.ts';
import type { Span } from './trace-span.ts';

/** Spans that wait; more are dropped and counted. */
const maxQueue = 8_192;
/** Spans in one message. */
const maxBatch = 512;
/** Milliseconds a span waits for others, and a batch after one that failed. */
const delay = 1_000;
/** Milliseconds after which a batch is given up; a collector has had its own time by then. */
const patience = 11_000;
/** Characters of a collector's refusal that are logged. */
const maxReason = 200;

/** What a collector is spoken to with. */
export interface Collector {
  /** Rejects when they did not arrive, or may not have. */
  send(spans: Span[]): Promise<void>;
  /** At once, whatever is on its way. */
  close(): void;
}

/** At most 8,192 spans wait. The collector is loaded with the first, and anew after each failure. */
export class SpanQueue {
  readonly #load: () => Promise<Collector>;
  readonly #log: Log;
  #collector: Promise<Collector> | null = null;
  readonly #waiting: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  /** Spans of the batch that is under way. */
  #sending = 0;
  #isFailing = false;
  #dropped = 0;
  #closed = false;

  constructor(load: () => Promise<Collector>, log: Log) {
    this.#load = load;
    this.#log = log;
  }

  /** Spans that never reached the collector. */
  get dropped(): number {
    return this.#dropped;
  }

  take(span: Span): void {
    if (this.#closed || this.#waiting.length >= maxQueue) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(span);
    if (this.#underWay === null) this.#schedule();
  }

  /** Resolves when all that waits has left or `timeout` milliseconds are over. */
  async flush(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (this.#underWay !== null || this.#waiting.length > 0) {
      if (this.#underWay === null) this.#send();
      const left = deadline - performance.now();
      if (left <= 0 || !(await within(this.#underWay as Promise<void> | null, left))) return;
    }
  }

  /** What has not left after `timeout` milliseconds is dropped. */
  async close(timeout: number): Promise<void> {
    await this.flush(timeout);
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const left = this.#sending + this.#waiting.length;
    if (left > 0) this.#failed(left, new Error('the gateway ended before it had taken them'));
    this.#waiting.length = 0;
    this.#hangUp();
  }

  /** A collector that fails is not asked at the pace of the requests. */
  #schedule(): void {
    if (this.#waiting.length >= maxBatch && !this.#isFailing) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), delay).unref();
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting.splice(0, maxBatch);
    this.#sending = batch.length;
    this.#underWay = this.#export(batch).then(() => {
      this.#underWay = null;
      this.#sending = 0;
      // What gathered while a batch was on its way has waited long enough.
      if (!this.#closed && this.#waiting.length > 0) this.#schedule();
    });
  }

  /** Never rejects. */
  async #export(batch: Span[]): Promise<void> {
    try {
      this.#collector ??= this.#load();
      const sent = this.#collector.then((collector) => collector.send(batch));
      if (!(await within(sent, patience))) throw new Error(`no answer within ${patience / 1000} s`);
      this.#delivered();
    } catch (error) {
      // Its channel may wait for minutes before it tries again, and its sockets may hang in an answer.
      this.#hangUp();
      if (!this.#closed) this.#failed(batch.length, error);
    }
  }

  #hangUp(): void {
    this.#collector?.then(
      (collector) => collector.close(),
      () => {},
    );
    this.#collector = null;
  }

  #delivered(): void {
    if (!this.#isFailing || this.#closed) return;
    this.#isFailing = false;
    this.#log.info({ dropped: this.#dropped }, 'Traces reach their collector again');
  }

  /** One line for as long as it lasts. */
  #failed(spans: number, error: unknown): void {
    this.#dropped += spans;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.warn({ reason: reasonOf(error) }, 'Traces do not reach their collector: they are dropped');
  }
}

/** False when `ms` were over first. */
async function within(work: Promise<unknown> | null, ms: number): Promise<boolean> {
  if (work === null) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  const text = error instanceof Error && error.message !== '' ? error.message : String(code ?? 'unknown');
  return text.slice(0, maxReason);
}
