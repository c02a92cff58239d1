// Towards servers: which are up, how connections to them fare, what is tried again, which breakers are open.

import type { Board } from '../parts/board.ts';
import { ending, errorShare, of, quantile, rate, sumBy, top } from '../parts/queries.ts';

const onService = 'service=~"$service"';

export const upstream: Board = {
  uid: 'portcullis-upstream',
  title: 'Portcullis / Servers and health',
  about: 'Health checks, connections to servers, retries, circuit breakers, sticky sessions.',
  variables: ['instance', 'service'],
  rows: [
    {
      title: 'Health',
      panels: [
        {
          title: 'Servers that are up',
          about:
            'Share of the checked servers of each service that pass their health check, as the worst instance sees it.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          limits: { warn: 0.99, bad: 0.5 },
          queries: [
            {
              expr: `min by (service) (avg by (instance, service) (traefik_service_server_up${of(onService)}))`,
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Servers that are down',
          about: 'Servers that fail their health check now, by instance. Empty is good.',
          kind: 'table',
          unit: 'none',
          width: 12,
          queries: [{ expr: `traefik_service_server_up${of(onService)} == 0`, legend: 'up' }],
        },
        {
          title: 'Errors of services',
          about:
            'Share of answers of servers, and of the gateway in their stead, that are the platform’s fault; the ten worst.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          limits: { warn: 0.001, bad: 0.01 },
          queries: [
            {
              expr: top(10, errorShare('traefik_service_requests_total', 'service', onService)),
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Duration of services',
          about: 'p95 of requests at servers; the ten slowest.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: top(
                10,
                quantile(0.95, 'traefik_service_request_duration_seconds', 'service', onService, ending),
              ),
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Bodies',
          about: 'Bytes of bodies per second, to servers and from them; the five largest each.',
          kind: 'lines',
          unit: 'Bps',
          width: 24,
          queries: [
            {
              expr: top(5, sumBy('service', rate(`traefik_service_requests_bytes_total${of(onService)}`))),
              legend: '{{service}} to',
            },
            {
              expr: top(5, sumBy('service', rate(`traefik_service_responses_bytes_total${of(onService)}`))),
              legend: '{{service}} from',
            },
          ],
        },
      ],
    },
    {
      title: 'Connections',
      panels: [
        {
          title: 'Connections to servers',
          about: 'Open ones, and how many of them are idle.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          queries: [
            { expr: top(10, sumBy('url', `portcullis_upstream_connections${of()}`)), legend: '{{url}} open' },
            {
              expr: top(10, sumBy('url', `portcullis_upstream_idle_connections${of()}`)),
              legend: '{{url}} idle',
            },
          ],
        },
        {
          title: 'Requests that wait for a connection',
          about: 'More than a few for long: the server is slower than what is asked of it.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          limits: { warn: 10, bad: 100 },
          queries: [
            { expr: top(10, sumBy('url', `portcullis_upstream_waiting_requests${of()}`)), legend: '{{url}}' },
          ],
        },
        {
          title: 'Connections used again',
          about:
            'Share of requests that went out on a connection that stood. Low: the server closes, or says so in keep-alive.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          limits: { warn: 0.9, bad: 0.5 },
          queries: [
            {
              expr: `${sumBy('url', rate(`portcullis_upstream_reused_total${of()}`))} / (${sumBy('url', rate(`portcullis_upstream_reused_total${of()}`))} + ${sumBy('url', rate(`portcullis_upstream_dial_seconds_count${of()}`))} > 0)`,
              legend: '{{url}}',
            },
          ],
        },
        {
          title: 'Time to connect',
          about: 'p95 from the beginning of a connection until it stands, with TLS where there is TLS.',
          kind: 'lines',
          unit: 's',
          width: 12,
          limits: { warn: 0.1, bad: 1 },
          queries: [
            { expr: top(10, quantile(0.95, 'portcullis_upstream_dial_seconds', 'url')), legend: '{{url}}' },
          ],
        },
      ],
    },
    {
      title: 'Retries, breakers, sessions',
      panels: [
        {
          title: 'Retries',
          about: 'Attempts per second beyond the first of a request.',
          kind: 'lines',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: top(10, sumBy('service', rate(`traefik_service_retries_total${of(onService)}`))),
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Circuit breakers',
          about: '0 closed, 1 recovering, 2 open; where it is worst.',
          kind: 'lines',
          unit: 'none',
          width: 8,
          max: 2,
          limits: { warn: 1, bad: 2 },
          queries: [
            {
              expr: `max by (middleware, place) (portcullis_circuit_breaker_state${of()})`,
              legend: '{{middleware}} {{place}}',
            },
          ],
        },
        {
          title: 'Sessions by header',
          about: 'Sticky sessions that are known.',
          kind: 'lines',
          unit: 'short',
          width: 8,
          queries: [{ expr: `portcullis_sticky_sessions${of()}`, legend: '{{instance}}' }],
        },
      ],
    },
  ],
};
