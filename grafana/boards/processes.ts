// Processes: workers, event loops, memory, collection of garbage, and the shared state they depend on.

import type { Board } from '../parts/board.ts';
import { mean, of, quantile, rate, sumBy } from '../parts/queries.ts';

export const processes: Board = {
  uid: 'portcullis-processes',
  title: 'Portcullis / Workers and runtime',
  about: 'Workers and the primary: lateness of event loops, restarts, memory, CPU, garbage, Redis.',
  variables: ['instance'],
  rows: [
    {
      title: 'Workers',
      panels: [
        {
          title: 'Workers',
          about: 'Processes that serve.',
          kind: 'number',
          unit: 'short',
          width: 6,
          limits: { warn: 1, bad: 0.5 },
          queries: [{ expr: `portcullis_workers${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Restarts in the last hour',
          about: 'Workers that ended unasked and were replaced. Each one cost its connections.',
          kind: 'number',
          unit: 'short',
          width: 6,
          limits: { warn: 1, bad: 3 },
          queries: [
            { expr: `increase(portcullis_worker_restarts_total${of()}[1h])`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Releases',
          about: 'What runs where.',
          kind: 'table',
          unit: 'none',
          width: 12,
          queries: [{ expr: `portcullis_build_info${of()}`, legend: 'running' }],
        },
        {
          title: 'Restarts',
          about: 'Per minute.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          limits: { warn: 1, bad: 3 },
          queries: [
            { expr: `60 * ${rate(`portcullis_worker_restarts_total${of()}`)}`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'CPU',
          about: 'Cores in use. A worker uses one at most.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [
            { expr: rate(`portcullis_worker_cpu_seconds_total${of()}`), legend: '{{instance}} workers' },
            { expr: rate(`process_cpu_seconds_total${of()}`), legend: '{{instance}} primary' },
          ],
        },
        {
          title: 'Memory',
          about: 'Resident memory of all workers together, and of the primary.',
          kind: 'lines',
          unit: 'bytes',
          width: 8,
          queries: [
            { expr: `portcullis_worker_resident_memory_bytes${of()}`, legend: '{{instance}} workers' },
            { expr: `process_resident_memory_bytes${of()}`, legend: '{{instance}} primary' },
          ],
        },
      ],
    },
    {
      title: 'Event loops',
      panels: [
        {
          title: 'Utilization',
          about:
            'Share of a second in which the loop was busy, in the busiest process. Near 1 everything waits.',
          kind: 'lines',
          unit: 'percentunit',
          width: 8,
          max: 1,
          limits: { warn: 0.7, bad: 0.9 },
          queries: [{ expr: `portcullis_event_loop_utilization${of()}`, legend: '{{instance}} {{process}}' }],
        },
        {
          title: 'Mean delay',
          about: 'Mean lateness of timers over a second, in the process where it is worst.',
          kind: 'lines',
          unit: 's',
          width: 8,
          limits: { warn: 0.01, bad: 0.05 },
          queries: [
            { expr: `portcullis_event_loop_delay_mean_seconds${of()}`, legend: '{{instance}} {{process}}' },
          ],
        },
        {
          title: 'Largest delay',
          about: 'The latest timer of a second: how long a request may have stood still.',
          kind: 'lines',
          unit: 's',
          width: 8,
          limits: { warn: 0.1, bad: 0.5 },
          queries: [
            { expr: `portcullis_event_loop_delay_max_seconds${of()}`, legend: '{{instance}} {{process}}' },
          ],
        },
      ],
    },
    {
      title: 'Garbage of the workers',
      panels: [
        {
          title: 'Time of collections, workers',
          about: 'Share of one core, over all workers, by kind: time in which requests stand still.',
          kind: 'stacked',
          unit: 'percentunit',
          width: 12,
          queries: [
            {
              expr: sumBy('instance, kind', rate(`portcullis_worker_gc_seconds_total${of()}`)),
              legend: '{{instance}} {{kind}}',
            },
          ],
        },
        {
          title: 'Collections, workers',
          about: 'Per second, by kind. Major ones that become more frequent: memory that is kept grows.',
          kind: 'lines',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: sumBy('instance, kind', rate(`portcullis_worker_gc_runs_total${of()}`)),
              legend: '{{instance}} {{kind}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Runtime of the primary',
      panels: [
        {
          title: 'Collection of garbage',
          about: 'Share of time, by kind. In the primary alone.',
          kind: 'stacked',
          unit: 'percentunit',
          width: 12,
          queries: [
            {
              expr: sumBy('instance, kind', rate(`nodejs_gc_duration_seconds_sum${of()}`)),
              legend: '{{instance}} {{kind}}',
            },
          ],
        },
        {
          title: 'Heap and descriptors',
          about: 'Heap in use; open descriptors of the primary against their limit say whether it leaks.',
          kind: 'lines',
          unit: 'bytes',
          width: 6,
          queries: [{ expr: `nodejs_heap_size_used_bytes${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Open descriptors',
          about: 'Share of the limit that the primary holds open.',
          kind: 'lines',
          unit: 'percentunit',
          width: 6,
          max: 1,
          limits: { warn: 0.7, bad: 0.9 },
          queries: [{ expr: `process_open_fds${of()} / process_max_fds${of()}`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Shared state',
      panels: [
        {
          title: 'Workers by where they count',
          about:
            'memory or redis is as it should be; open, closed and local stand in for a Redis that does not answer.',
          kind: 'stacked',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: sumBy('instance, mode', `portcullis_state_workers${of()}`),
              legend: '{{instance}} {{mode}}',
            },
          ],
        },
        {
          title: 'Calls to Redis',
          about: 'Mean and p95 of the time of a call.',
          kind: 'lines',
          unit: 's',
          width: 12,
          limits: { warn: 0.01, bad: 0.1 },
          queries: [
            { expr: mean('portcullis_state_latency_seconds', 'instance'), legend: '{{instance}} mean' },
            {
              expr: quantile(0.95, 'portcullis_state_latency_seconds', 'instance'),
              legend: '{{instance}} p95',
            },
          ],
        },
      ],
    },
  ],
};
