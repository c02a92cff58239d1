// One router in full, down to the lines of its access log.

import type { Board } from '../parts/board.ts';
import { ending, failed, of, quantile, rate, sumBy } from '../parts/queries.ts';

const chosen = 'router=~"$router"';
const requests = 'traefik_router_requests_total';
const duration = 'traefik_router_request_duration_seconds';

export const router: Board = {
  uid: 'portcullis-router',
  title: 'Portcullis / Router',
  about:
    'A router by status, method, protocol and duration, and the lines of the access log that are its own.',
  variables: ['instance', 'router'],
  since: '1h',
  rows: [
    {
      title: '$router (needs `addRoutersLabels`)',
      panels: [
        {
          title: 'Answers by status',
          about: 'Requests per second by status code; one digit is a status of gRPC.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [{ expr: sumBy('code', rate(requests + of(chosen))), legend: '{{code}}' }],
        },
        {
          title: 'Requests by method and protocol',
          about: 'A method nobody registered counts as EXTENSION_METHOD.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: sumBy('method, protocol', rate(requests + of(chosen))),
              legend: '{{method}} {{protocol}}',
            },
          ],
        },
        {
          title: 'Duration',
          about: 'Quantiles of requests that end by themselves.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [0.5, 0.95, 0.99].map((q) => ({
            expr: quantile(q, duration, '', chosen, ending),
            legend: `p${q * 100}`,
          })),
        },
        {
          title: 'Bodies',
          about: 'Bytes of bodies per second, from and to clients.',
          kind: 'lines',
          unit: 'Bps',
          width: 12,
          queries: [
            { expr: sumBy('', rate(`traefik_router_requests_bytes_total${of(chosen)}`)), legend: 'in' },
            { expr: sumBy('', rate(`traefik_router_responses_bytes_total${of(chosen)}`)), legend: 'out' },
          ],
        },
        {
          title: 'Failed answers, last hour',
          about: 'By status and service: what to look for in the log below.',
          kind: 'table',
          unit: 'short',
          width: 24,
          queries: [
            {
              expr: `topk(20, sum by (router, service, code, method) (increase(${requests}${of(chosen, failed)}[1h])) > 0)`,
              legend: 'requests',
            },
          ],
        },
      ],
    },
  ],
  logs: {
    title: 'Access log',
    about:
      'Lines of the access log in format json, collected by Loki with the label `job="portcullis"`. Durations are nanoseconds.',
    expr: `{job="portcullis"} | json | RouterName=~"$router" | line_format "{{.DownstreamStatus}} {{.RequestMethod}} {{.RequestHost}}{{.RequestPath}} {{.Duration}}ns by {{.ServiceURL}} ({{.OriginStatus}} in {{.OriginDuration}}ns, retries {{.RetryAttempts}}) trace {{.TraceId}}"`,
  },
};
