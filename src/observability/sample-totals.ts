// Sums of the counters and gauges of all workers, kept in the primary.

import type { WorkerMetrics } from '../model/metrics.ts';

/** A number that is no request's. */
export interface SampleTotal {
  readonly metric: string;
  readonly suffix: string;
  readonly labels: string;
  value: number;
  /** Of a `max` gauge what each worker says; null for the others. */
  readonly byWorker: Map<object, number> | null;
  users: number;
}

/** What the ids of one worker's samples stand for. */
export type SentSamples = Map<number, Sent>;

interface Sent {
  readonly total: SampleTotal;
  readonly isCounter: boolean;
  /** Of a gauge: what it stood at. */
  last: number;
}

/** As many as workers have instruments. */
export class SampleTotals {
  readonly #byMetric = new Map<string, Map<string, SampleTotal>>();

  /** Of one metric, in the order they came. */
  of(metric: string): Iterable<SampleTotal> {
    return this.#byMetric.get(metric)?.values() ?? [];
  }

  receive(worker: object, sent: SentSamples, message: WorkerMetrics): void {
    this.#learn(sent, message.newSamples);
    this.#set(worker, sent, message);
    for (const id of message.goneSamples) this.#forget(worker, sent, id);
  }

  /** Counts stay; what a worker only stood at goes with it. */
  ended(worker: object, samples: SentSamples): void {
    for (const sent of samples.values()) {
      sent.total.users -= 1;
      if (!sent.isCounter) leave(sent, worker);
    }
  }

  #learn(sent: SentSamples, news: WorkerMetrics['newSamples']): void {
    for (let i = 0; i < news.length; i += 5) {
      const [id, metric, suffix, labels, kind] = news.slice(i, i + 5) as [
        number,
        string,
        string,
        string,
        number,
      ];
      const ofMetric = this.#byMetric.get(metric) ?? new Map<string, SampleTotal>();
      this.#byMetric.set(metric, ofMetric);
      const key = `${suffix}\n${labels}`;
      let total = ofMetric.get(key);
      if (total === undefined) {
        const byWorker = kind === 2 ? new Map<object, number>() : null;
        total = { metric, suffix, labels, value: 0, byWorker, users: 0 };
        ofMetric.set(key, total);
      }
      total.users += 1;
      sent.set(id, { total, isCounter: kind === 0, last: 0 });
    }
  }

  #set(worker: object, samples: SentSamples, message: WorkerMetrics): void {
    for (let i = 0; i < message.samples.length; i++) {
      const sent = samples.get(message.samples[i] as number);
      const value = message.sampleValues[i] as number;
      if (sent === undefined) continue;
      const { total } = sent;
      if (sent.isCounter) total.value += value;
      else if (total.byWorker === null) total.value += value - sent.last;
      else {
        total.byWorker.set(worker, value);
        total.value = Math.max(...total.byWorker.values());
      }
      if (!sent.isCounter) sent.last = value;
    }
  }

  #forget(worker: object, samples: SentSamples, id: number): void {
    const sent = samples.get(id);
    if (sent === undefined) return;
    samples.delete(id);
    const { total } = sent;
    total.users -= 1;
    if (!sent.isCounter) leave(sent, worker);
    if (total.users > 0) return;
    const ofMetric = this.#byMetric.get(total.metric);
    ofMetric?.delete(`${total.suffix}\n${total.labels}`);
    if (ofMetric?.size === 0) this.#byMetric.delete(total.metric);
  }
}

function leave({ total, last }: Sent, worker: object): void {
  if (total.byWorker === null) {
    total.value -= last;
    return;
  }
  total.byWorker.delete(worker);
  total.value = total.byWorker.size === 0 ? 0 : Math.max(...total.byWorker.values());
}
