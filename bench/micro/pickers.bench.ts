// Nanoseconds to choose one of four servers, by strategy: `node bench/micro/pickers.bench.ts`.

import type { Exchange } from '../../src/proxy/exchange.ts';
import { HighestRandomWeight } from '../../src/proxy/services/highest-random-weight.ts';
import { LeastTime, TwoChoices } from '../../src/proxy/services/least-loaded.ts';
import type { Picker } from '../../src/proxy/services/picker.ts';
import { Rotation } from '../../src/proxy/services/rotation.ts';
import type { Server } from '../../src/proxy/services/server.ts';
import { ServerStats } from '../../src/proxy/services/server-stats.ts';
import { serverOf } from '../../test/unit/proxy/services/bench-server.ts';
import { bench } from './run.ts';

const weights = [3, 1, 2, 1];
const even = weights.map((_, i) => serverOf(`http://10.0.0.${i}:80`));
const heavy = weights.map((weight, i) => serverOf(`http://10.0.0.${i}:80`, weight));
const measured = even.map((server) => ({
  server,
  stats: new ServerStats({ passive: null, timed: true, failing: () => {} }),
}));
const x = { peer: '192.0.2.17' } as Exchange;

pick('wrr, even', new Rotation(even, 0));
pick('wrr, weighted', new Rotation(heavy, 0));
pick('p2c', new TwoChoices(measured));
pick('hrw', new HighestRandomWeight(even));
pick('leasttime', new LeastTime(measured));

function pick(title: string, picker: Picker<Server>): void {
  bench(title, () => picker.pick(x));
}
