// What becomes of the requests at one rate limit, for the metrics.

import type { Instrument } from '../../../observability/instruments.ts';
import { metricNames } from '../../../observability/names.ts';
import type { BuildDeps } from '../define.ts';

export class LimitCounts {
  passed = 0;
  delayed = 0;
  refused = 0;
  failed = 0;
  #shown: readonly Instrument[] = [];

  show(name: string, meters: NonNullable<BuildDeps['meters']>): this {
    const { instruments } = meters;
    const outcomes = ['passed', 'delayed', 'refused', 'failed'] as const;
    this.#shown = outcomes.map((outcome) =>
      instruments.counter(metricNames.rateLimited, [name, outcome], () => this[outcome]),
    );
    return this;
  }

  close(): void {
    for (const instrument of this.#shown) instrument.close();
  }
}

/** One for all routers that use the middleware. */
export function limitCounts({ name, keep, meters }: BuildDeps): LimitCounts {
  return keep(`rateLimit.counts\n${name}`, () => {
    const counts = new LimitCounts();
    return meters == null ? counts : counts.show(name, meters);
  });
}
