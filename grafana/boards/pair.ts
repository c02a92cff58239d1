// Several instances behind one address: who serves, whether they agree, and what each has in force.

import type { Board } from '../parts/board.ts';
import { errorShare, of, rate, sumBy } from '../parts/queries.ts';

const requests = 'traefik_entrypoint_requests_total';

export const pair: Board = {
  uid: 'portcullis-pair',
  title: 'Portcullis / Pair',
  about: 'Instances side by side, whatever moves the address between them.',
  variables: ['instance', 'entrypoint'],
  rows: [
    {
      title: 'Instances',
      panels: [
        {
          title: 'Up',
          about: '1: the last scrape came through. The one without traffic counts as much: it is next.',
          kind: 'number',
          unit: 'none',
          width: 8,
          limits: { warn: 1, bad: 0.5 },
          queries: [{ expr: `up${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Share of the traffic',
          about: 'Who has the address, seen from the requests.',
          kind: 'number',
          unit: 'percentunit',
          width: 8,
          max: 1,
          queries: [
            {
              expr: `${sumBy('instance', rate(requests + of('entrypoint=~"$entrypoint"')))} / on () group_left () (${sumBy('', rate(requests + of('entrypoint=~"$entrypoint"')))} > 0)`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Runs since',
          about: 'When the primary of each instance started.',
          kind: 'number',
          unit: 'dateTimeFromNow',
          width: 8,
          queries: [{ expr: `1000 * process_start_time_seconds${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Requests per instance',
          about: 'A handover shows as one line falling while the other rises.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: sumBy('instance, entrypoint', rate(requests + of('entrypoint=~"$entrypoint"'))),
              legend: '{{instance}} {{entrypoint}}',
            },
          ],
        },
        {
          title: 'Errors per instance',
          about: 'Share of answers that are the platform’s fault. One alone that has them: move the address.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          limits: { warn: 0.001, bad: 0.01 },
          queries: [
            { expr: errorShare(requests, 'instance', 'entrypoint=~"$entrypoint"'), legend: '{{instance}}' },
          ],
        },
        {
          title: 'Connections per instance',
          about: 'Of clients. After a handover the old ones drain.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: sumBy('instance', `traefik_open_connections${of('entrypoint=~"$entrypoint"')}`),
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Workers per instance',
          about: 'Processes that serve.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          queries: [{ expr: `portcullis_workers${of()}`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Configuration',
      panels: [
        {
          title: 'Newest configuration in force',
          about: '0: workers rejected it, and the one before still serves.',
          kind: 'number',
          unit: 'none',
          width: 6,
          limits: { warn: 1, bad: 0.5 },
          queries: [{ expr: `portcullis_config_last_reload_successful${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Age of the configuration',
          about: 'Since the last one came into force. Instances that are fed alike differ by seconds.',
          kind: 'lines',
          unit: 's',
          width: 6,
          queries: [{ expr: `portcullis_config_age_seconds${of()}`, legend: '{{instance}}' }],
        },
        {
          title: 'Wrong with the configuration',
          about: 'Errors and warnings at present: the API and the log say where.',
          kind: 'lines',
          unit: 'short',
          width: 6,
          queries: [{ expr: `portcullis_config_diagnostics${of()}`, legend: '{{instance}} {{severity}}' }],
        },
        {
          title: 'Reloads',
          about: 'Per minute, and those that were rejected.',
          kind: 'lines',
          unit: 'short',
          width: 6,
          queries: [
            { expr: `60 * ${rate(`traefik_config_reloads_total${of()}`)}`, legend: '{{instance}} in force' },
            {
              expr: `60 * ${rate(`portcullis_config_reload_failures_total${of()}`)}`,
              legend: '{{instance}} rejected',
            },
          ],
        },
      ],
    },
  ],
};
