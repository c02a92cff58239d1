// Certificates: how much of their life is left, and whether ACME gets the next ones.

import type { Board } from '../parts/board.ts';
import { of, sumBy, top } from '../parts/queries.ts';

const remaining = `portcullis_certificate_remaining_seconds${of()}`;
const lifetime = `portcullis_certificate_lifetime_seconds${of()}`;
/** Over instances: where it is worst. A renewed one has another serial number. */
const left = `min by (cn, serial) (${remaining} / ${lifetime})`;

export const certificates: Board = {
  uid: 'portcullis-certificates',
  title: 'Portcullis / Certificates',
  about: 'Life that certificates have left, in proportion to their length, and what ACME is doing.',
  variables: ['instance'],
  since: '7d',
  rows: [
    {
      title: 'Life left',
      panels: [
        {
          title: 'Certificates',
          about: 'Certificates in use.',
          kind: 'number',
          unit: 'short',
          width: 6,
          queries: [{ expr: `count(count by (cn, serial) (${remaining}))`, legend: 'certificates' }],
        },
        {
          title: 'Least life left',
          about:
            'Of the certificate that is next. Renewal is due at a third; less than a quarter means that it fails.',
          kind: 'number',
          unit: 'percentunit',
          width: 6,
          max: 1,
          limits: { warn: 0.25, bad: 0.1 },
          queries: [{ expr: `min(${remaining} / ${lifetime})`, legend: 'left' }],
        },
        {
          title: 'Next end',
          about: 'Time until the first certificate ends.',
          kind: 'number',
          unit: 's',
          width: 6,
          queries: [{ expr: `min(${remaining})`, legend: 'left' }],
        },
        {
          title: 'Failed tries of ACME',
          about: 'In a row, over all certificates of the resolver.',
          kind: 'number',
          unit: 'short',
          width: 6,
          limits: { warn: 1, bad: 5 },
          queries: [{ expr: `max by (resolver) (portcullis_acme_failures${of()})`, legend: '{{resolver}}' }],
        },
        {
          title: 'Life left by certificate',
          about: 'Share of its life; the twenty that end first. A day’s certificate and a year’s read alike.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          max: 1,
          limits: { warn: 0.25, bad: 0.1 },
          queries: [{ expr: `bottomk(20, ${left})`, legend: '{{cn}} {{serial}}' }],
        },
        {
          title: 'When they end',
          about: 'The fifty that end first.',
          kind: 'table',
          unit: 'dateTimeFromNow',
          width: 12,
          queries: [
            {
              expr: `bottomk(50, 1000 * min by (cn, sans, serial) (traefik_tls_certs_not_after${of()}))`,
              legend: 'ends',
            },
          ],
        },
      ],
    },
    {
      title: 'ACME',
      panels: [
        {
          title: 'Certificates by state',
          about: 'What each resolver is to obtain, by where it is with it.',
          kind: 'stacked',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `max by (resolver, state) (${sumBy('instance, resolver, state', `portcullis_acme_certificates${of()}`)})`,
              legend: '{{resolver}} {{state}}',
            },
          ],
        },
        {
          title: 'Failed tries in a row',
          about: 'Falls to 0 with the first that succeeds. The log says why, and when the next try is.',
          kind: 'lines',
          unit: 'short',
          width: 12,
          limits: { warn: 1, bad: 5 },
          queries: [
            { expr: top(10, `max by (resolver) (portcullis_acme_failures${of()})`), legend: '{{resolver}}' },
          ],
        },
      ],
    },
  ],
};
