// Counters, gauges and histograms of a worker beside the requests: plain numbers, looked at once a second.

import type { WorkerMetrics } from '../model/metrics.ts';
import { labelsText, number } from './metric-text.ts';
import type { MetricName } from './names.ts';

/** Counted up by whoever holds it. */
export interface Counter {
  value: number;
}

/** Something counted that ends with what it is about. */
export interface Instrument {
  close(): void;
}

/** Upper bounds of times towards servers, seconds. */
export const timeBounds: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** Times, counted by how long they are; each bucket also counts those below. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[] = timeBounds) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length);
  }

  observe(seconds: number): void {
    this.sum += seconds;
    this.count += 1;
    for (let i = this.bounds.length - 1; i >= 0 && seconds <= (this.bounds[i] as number); i--) {
      this.counts[i]! += 1;
    }
  }
}

interface Sample {
  readonly id: number;
  readonly isCounter: boolean;
  readonly read: () => number;
  /** As it was sent last. */
  last: number;
}

type SampleDelta = Pick<WorkerMetrics, 'newSamples' | 'samples' | 'sampleValues' | 'goneSamples'>;

/** As many as the configuration makes: only what is built at load, and pools once they are used, ask for one. */
export class Instruments {
  readonly #samples = new Map<number, Sample>();
  readonly #awaited = new Set<() => boolean>();
  #news: (number | string)[] = [];
  #gone: number[] = [];
  #lastId = 0;

  counter(metric: MetricName, labels: readonly string[], read: () => number): Instrument {
    return this.#together([this.#add(metric, '', labelsText(metric.labels, labels), read)]);
  }

  gauge(metric: MetricName, labels: readonly string[], read: () => number): Instrument {
    return this.#together([this.#add(metric, '', labelsText(metric.labels, labels), read)]);
  }

  histogram(metric: MetricName, labels: readonly string[], histogram: Histogram): Instrument {
    const text = labelsText(metric.labels, labels);
    const le = (bound: number): string => `${text === '' ? '' : `${text},`}le="${number(bound)}"`;
    const { bounds, counts } = histogram;
    return this.#together([
      ...bounds.map((bound, i) => this.#add(metric, '_bucket', le(bound), () => counts[i] as number)),
      this.#add(metric, '_bucket', le(Number.POSITIVE_INFINITY), () => histogram.count),
      this.#add(metric, '_sum', text, () => histogram.sum),
      this.#add(metric, '_count', text, () => histogram.count),
    ]);
  }

  /** `make` is called once `isUsed` says so, which is asked once a second: what nobody uses costs no memory. */
  whenUsed(isUsed: () => boolean, make: () => Instrument): Instrument {
    let made: Instrument | null = null;
    const look = (): boolean => {
      if (!isUsed()) return false;
      made = make();
      return true;
    };
    this.#awaited.add(look);
    return {
      close: () => {
        this.#awaited.delete(look);
        made?.close();
      },
    };
  }

  /** What has changed since the last call. */
  take(): SampleDelta {
    for (const look of this.#awaited) if (look()) this.#awaited.delete(look);
    const ids: number[] = [];
    const values: number[] = [];
    for (const sample of this.#samples.values()) {
      const value = sample.read();
      if (value === sample.last) continue;
      ids.push(sample.id);
      values.push(sample.isCounter ? value - sample.last : value);
      sample.last = value;
    }
    const newSamples = this.#news;
    const goneSamples = Uint32Array.from(this.#gone);
    this.#news = [];
    this.#gone = [];
    return {
      newSamples,
      goneSamples,
      samples: Uint32Array.from(ids),
      sampleValues: Float64Array.from(values),
    };
  }

  #add(metric: MetricName, suffix: string, labels: string, read: () => number): number {
    const id = ++this.#lastId;
    const isCounter = metric.type !== 'gauge';
    this.#samples.set(id, { id, isCounter, read, last: 0 });
    this.#news.push(id, metric.name, suffix, labels, isCounter ? 0 : metric.across === 'max' ? 2 : 1);
    return id;
  }

  #together(ids: readonly number[]): Instrument {
    return {
      close: () => {
        for (const id of ids) if (this.#samples.delete(id)) this.#gone.push(id);
      },
    };
  }
}
