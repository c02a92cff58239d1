// Collections of garbage, by this very process.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { watchGarbage } from '../../../src/observability/garbage-watch.ts';
import { Totals } from '../../../src/observability/totals.ts';
import { WorkerMeters } from '../../../src/observability/worker-metrics.ts';
import { eventually } from '../../support/gateway.ts';

const settings = {
  buckets: [1],
  entryPoints: true,
  routers: true,
  services: true,
  addInternals: false,
  headerLabels: [],
};

test('collections are counted by kind with their time, until nobody watches any more', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { type: 'minor' | 'major' }) => void;
  const meters = new WorkerMeters(settings);
  const totals = new Totals(1);
  const watching = watchGarbage(meters.instruments);
  const tell = (): void => {
    const taken = meters.take();
    if (taken !== null) totals.receive(meters, taken.message);
  };
  const of = (name: string, kind: string): number => {
    tell();
    for (const { labels, value } of totals.samples.of(`portcullis_worker_gc_${name}_total`))
      if (labels === `kind="${kind}"`) return value;
    return Number.NaN;
  };
  assert.equal(of('runs', 'weakcb'), 0, 'all kinds are there from the beginning');
  collect();
  collect({ type: 'minor' });
  await eventually('both are counted', () => of('runs', 'major') >= 1 && of('runs', 'minor') >= 1);
  assert.ok(of('seconds', 'major') > 0 && of('seconds', 'major') < 5, String(of('seconds', 'major')));
  watching.close();
  assert.ok(Number.isNaN(of('runs', 'major')));
});
