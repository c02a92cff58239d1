// Rate, errors and duration, per entry point, router and service: where to look first.

import type { Board, Row } from '../parts/board.ts';
import type { Lead, Panel } from '../parts/panels.ts';
import { ending, errorShare, mean, of, quantile, rate, sumBy, top } from '../parts/queries.ts';

const requests = 'traefik_entrypoint_requests_total';
const duration = 'traefik_entrypoint_request_duration_seconds';
const onEntryPoint = 'entrypoint=~"$entrypoint"';

const leads: Readonly<Record<string, Lead>> = {
  router: { title: 'This router, and its log', uid: 'portcullis-router', label: 'router' },
  service: { title: 'Servers of this service', uid: 'portcullis-upstream', label: 'service' },
};

export const overview: Board = {
  uid: 'portcullis-overview',
  title: 'Portcullis / Overview',
  about: 'Rate, errors and duration of requests per entry point, router and service.',
  variables: ['instance', 'entrypoint', 'router', 'service'],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Requests',
          about: 'Requests answered per second on the chosen entry points.',
          kind: 'number',
          unit: 'reqps',
          width: 6,
          queries: [{ expr: sumBy('', rate(requests + of(onEntryPoint))), legend: 'requests' }],
        },
        {
          title: 'Errors',
          about: 'Share of answers that are the platform’s fault: 5xx, and what says the same in gRPC.',
          kind: 'number',
          unit: 'percentunit',
          width: 6,
          limits: { warn: 0.001, bad: 0.01 },
          queries: [{ expr: errorShare(requests, '', onEntryPoint), legend: 'errors' }],
        },
        {
          title: 'p95',
          about:
            '95 of 100 requests were answered faster; as exact as the buckets in `metrics.prometheus.buckets`.',
          kind: 'number',
          unit: 's',
          width: 6,
          limits: { warn: 0.5, bad: 2 },
          queries: [{ expr: quantile(0.95, duration, '', onEntryPoint, ending), legend: 'p95' }],
        },
        {
          title: 'Open connections',
          about: 'Connections of clients, idle ones too.',
          kind: 'number',
          unit: 'short',
          width: 6,
          queries: [
            { expr: sumBy('', `traefik_open_connections${of(onEntryPoint)}`), legend: 'connections' },
          ],
        },
      ],
    },
    {
      title: 'Entry points',
      panels: [
        ...red('entrypoint', 'entry point', onEntryPoint),
        {
          title: 'Burn of the error budget',
          about:
            'How many times faster than 99.9 % in 30 days allows, over all instances; from the recording rules. Above 14.4 over an hour somebody is paged.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          limits: { warn: 1, bad: 14.4 },
          queries: ['1h', '6h'].map((window) => ({
            expr: `job_entrypoint:traefik_entrypoint_errors:ratio_rate${window}{${onEntryPoint}} / 0.001`,
            legend: `{{entrypoint}} ${window}`,
          })),
        },
        {
          title: 'Slow answers',
          about:
            'Share of requests above 1.2 s, over all instances; from the recording rules, which need a bucket there.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          limits: { warn: 0.01, bad: 0.144 },
          queries: ['5m', '1h'].map((window) => ({
            expr: `job_entrypoint:traefik_entrypoint_slow:ratio_rate${window}{${onEntryPoint}}`,
            legend: `{{entrypoint}} ${window}`,
          })),
        },
        {
          title: 'Answers by status',
          about: 'Requests per second by status code; one digit is a status of gRPC.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [{ expr: sumBy('code', rate(requests + of(onEntryPoint))), legend: '{{code}}' }],
        },
        {
          title: 'Bodies',
          about: 'Bytes of bodies per second, from and to clients.',
          kind: 'lines',
          unit: 'Bps',
          width: 12,
          queries: [
            {
              expr: sumBy('', rate(`traefik_entrypoint_requests_bytes_total${of(onEntryPoint)}`)),
              legend: 'in',
            },
            {
              expr: sumBy('', rate(`traefik_entrypoint_responses_bytes_total${of(onEntryPoint)}`)),
              legend: 'out',
            },
          ],
        },
        {
          title: 'TLS by version and cipher',
          about:
            'Requests per second over TLS. What is old here decides which `minVersion` can be asked for.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: sumBy(
                'tls_version, tls_cipher',
                rate(`traefik_entrypoint_requests_tls_total${of(onEntryPoint)}`),
              ),
              legend: 'TLS {{tls_version}} {{tls_cipher}}',
            },
          ],
        },
        {
          title: 'Rate limits',
          about:
            'Requests per second at rate limits by what became of them. `failed` is limits that could not be asked.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: sumBy('middleware, outcome', rate(`portcullis_rate_limit_requests_total${of()}`)),
              legend: '{{middleware}} {{outcome}}',
            },
          ],
        },
      ],
    },
    redRow('Routers (needs `addRoutersLabels`)', 'router', 'router'),
    redRow('Services', 'service', 'service'),
  ],
};

function redRow(title: string, scope: string, word: string): Row {
  return { title, panels: red(scope, word, `${scope}=~"$${scope}"`) };
}

function red(scope: string, word: string, matcher: string): readonly Panel[] {
  const count = `traefik_${scope}_requests_total`;
  const times = `traefik_${scope}_request_duration_seconds`;
  const legend = `{{${scope}}}`;
  const width = 8;
  const lead = leads[scope] === undefined ? {} : { leadsTo: leads[scope] };
  return [
    {
      title: `Requests per ${word}`,
      about: `Requests per second; the ten busiest of each kind.`,
      kind: 'lines',
      unit: 'reqps',
      width,
      ...lead,
      queries: [{ expr: top(10, sumBy(scope, rate(count + of(matcher)))), legend }],
    },
    {
      title: `Errors per ${word}`,
      about: 'Share of answers that are the platform’s fault; the ten worst.',
      kind: 'lines',
      unit: 'percentunit',
      width,
      ...lead,
      limits: { warn: 0.001, bad: 0.01 },
      queries: [{ expr: top(10, errorShare(count, scope, matcher)), legend }],
    },
    {
      title: `Duration per ${word}`,
      about: 'p95 and mean of requests that end by themselves: without WebSockets and streams of events.',
      kind: 'lines',
      unit: 's',
      width,
      ...lead,
      queries: [
        { expr: top(10, quantile(0.95, times, scope, matcher, ending)), legend: `p95 ${legend}` },
        { expr: top(10, mean(times, scope, matcher, ending)), legend: `mean ${legend}` },
      ],
    },
  ];
}
