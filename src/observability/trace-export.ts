// Spans on their way to the collector: gathered, sent in batches one after the other, dropped when they come
// faster than they leave. Requests never wait for any of it.

import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Log } from './log.ts';
import type { Span } from './trace-span.ts';

/** Spans that wait; more are dropped and counted. */
const maxQueue = 8_192;
/** Spans in one message. */
const maxBatch = 512;
/** Milliseconds a span waits for others. */
const delay = 1_000;
/** Characters of a collector's refusal that are logged. */
const maxReason = 200;

/** Loads what a collector is spoken to with. */
export type LoadExporter = () => Promise<SpanExporter>;

export class SpanQueue {
  readonly #load: LoadExporter;
  readonly #log: Log;
  #exporter: Promise<SpanExporter> | null = null;
  readonly #waiting: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  #isFailing = false;
  #dropped = 0;
  #closed = false;

  constructor(load: LoadExporter, log: Log) {
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
    if (this.#underWay !== null) return;
    if (this.#waiting.length >= maxBatch) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), delay).unref();
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

  async close(timeout: number): Promise<void> {
    await this.flush(timeout);
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#exporter === null) return;
    await within(
      this.#exporter.then((exporter) => exporter.shutdown()).catch(() => {}),
      timeout,
    );
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting.splice(0, maxBatch);
    this.#underWay = this.#export(batch).then(() => {
      this.#underWay = null;
      if (this.#closed || this.#waiting.length === 0) return;
      // What gathered while a batch was on its way has waited long enough.
      if (this.#waiting.length >= maxBatch) this.#send();
      else this.#timer ??= setTimeout(() => this.#send(), delay).unref();
    });
  }

  /** Never rejects. */
  async #export(batch: Span[]): Promise<void> {
    try {
      this.#exporter ??= this.#load();
      const exporter = await this.#exporter;
      await new Promise<void>((resolve, reject) => {
        exporter.export(batch, ({ code, error }) => {
          if (code === 0) resolve();
          else reject(error ?? new Error('the collector refused them'));
        });
      });
      this.#delivered();
    } catch (error) {
      this.#failed(batch.length, error);
    }
  }

  #delivered(): void {
    if (!this.#isFailing) return;
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
