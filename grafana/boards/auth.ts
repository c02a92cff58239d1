// forwardAuth: how often the cache answers, what that saves the auth server, and what it saves clients.

import type { Board } from '../parts/board.ts';
import { mean, of, quantile, rate, sumBy } from '../parts/queries.ts';

const mine = of('middleware=~"$middleware"');
const chosen = 'middleware=~"$middleware"';
const by = 'middleware';
const lookups = 'portcullis_auth_lookup_seconds';
const requests = 'portcullis_auth_request_duration_seconds';
const legend = '{{middleware}}';

/** Requests that needed a decision, per second. */
const asked = `(${sumBy(by, rate(`portcullis_auth_cache_hits_total${mine}`))} + ${sumBy(by, rate(`portcullis_auth_cache_misses_total${mine}`))})`;
const questions = sumBy(by, rate(`${lookups}_count${mine}`));

export const auth: Board = {
  uid: 'portcullis-auth',
  title: 'Portcullis / Auth',
  about:
    'Decisions of forwardAuth with a cache: hits, questions saved, and the time of those that were asked.',
  variables: ['instance', 'middleware'],
  rows: [
    {
      title: 'Cache',
      panels: [
        {
          title: 'Hit rate',
          about: 'Share of requests that a kept decision answered.',
          kind: 'number',
          unit: 'percentunit',
          width: 8,
          max: 1,
          limits: { warn: 0.8, bad: 0.5 },
          queries: [
            {
              expr: `${sumBy(by, rate(`portcullis_auth_cache_hits_total${mine}`))} / (${asked} > 0)`,
              legend,
            },
          ],
        },
        {
          title: 'Questions saved',
          about: 'Requests per second that needed a decision without a question to the auth server.',
          kind: 'number',
          unit: 'reqps',
          width: 8,
          queries: [{ expr: `clamp_min(${asked} - ${questions}, 0)`, legend }],
        },
        {
          title: 'Auth server, p95',
          about: 'How long a question takes: what a request without a kept decision waits.',
          kind: 'number',
          unit: 's',
          width: 8,
          limits: { warn: 0.1, bad: 0.5 },
          queries: [{ expr: quantile(0.95, lookups, by, chosen), legend }],
        },
        {
          title: 'Decisions by origin',
          about:
            'Requests per second by where their decision came from: kept here, waited for another request’s question, asked by another node, or past its life as the auth server failed. Misses hold those that waited.',
          kind: 'lines',
          unit: 'reqps',
          width: 12,
          queries: (['hits', 'misses', 'coalesced', 'shared', 'stale'] as const).map((kind) => ({
            expr: sumBy(by, rate(`portcullis_auth_cache_${kind}_total${mine}`)),
            legend: `{{middleware}} ${kind}`,
          })),
        },
        {
          title: 'Questions asked and saved',
          about: 'Both together are the requests that the auth server would have without the cache.',
          kind: 'stacked',
          unit: 'reqps',
          width: 12,
          queries: [
            { expr: questions, legend: '{{middleware}} asked' },
            { expr: `clamp_min(${asked} - ${questions}, 0)`, legend: '{{middleware}} saved' },
          ],
        },
      ],
    },
    {
      title: 'Time',
      panels: [
        {
          title: 'What a decision costs, with and without the cache',
          about:
            'Without: the mean of a question, which each request would wait. With: the time of all questions over all requests.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [
            { expr: mean(lookups, by, chosen), legend: '{{middleware}} without' },
            {
              expr: `${sumBy(by, rate(`${lookups}_sum${mine}`))} / (${asked} > 0)`,
              legend: '{{middleware}} with',
            },
          ],
        },
        {
          title: 'Answers of the auth server',
          about: 'Quantiles of the time of its answers.',
          kind: 'lines',
          unit: 's',
          width: 12,
          limits: { warn: 0.1, bad: 0.5 },
          queries: [0.5, 0.95, 0.99].map((q) => ({
            expr: quantile(q, lookups, by, chosen),
            legend: `{{middleware}} p${q * 100}`,
          })),
        },
      ],
    },
    {
      title: 'What clients notice',
      panels: [
        {
          title: 'Requests by cache, p95',
          about:
            'Whole time of protected requests, their server included, by whether a kept decision answered them; none: without a cache.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: quantile(0.95, requests, 'middleware, cache', chosen),
              legend: '{{middleware}} {{cache}}',
            },
          ],
        },
        {
          title: 'Failed questions',
          about:
            'Questions per second without a usable answer, by why. Their requests are refused, unless a decision past its life stands in.',
          kind: 'lines',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: sumBy('middleware, reason', rate(`portcullis_auth_failures_total${mine}`)),
              legend: '{{middleware}} {{reason}}',
            },
          ],
        },
      ],
    },
    {
      title: 'What is not kept',
      panels: [
        {
          title: 'Denials from the cache',
          about: 'Hits that denied, per second. Many are a client with a bad token that does not give up.',
          kind: 'lines',
          unit: 'reqps',
          width: 8,
          queries: [{ expr: sumBy(by, rate(`portcullis_auth_cache_negative_total${mine}`)), legend }],
        },
        {
          title: 'Evicted and purged',
          about:
            'Decisions per second that gave way to others, or were taken back. Evictions: raise the cache’s `maxEntries`.',
          kind: 'lines',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: sumBy(by, rate(`portcullis_auth_cache_evicted_total${mine}`)),
              legend: '{{middleware}} evicted',
            },
            {
              expr: sumBy(by, rate(`portcullis_auth_cache_purged_total${mine}`)),
              legend: '{{middleware}} purged',
            },
          ],
        },
        {
          title: 'Answers not to be kept',
          about: 'Answers per second that forbid being kept, or say nothing that can be.',
          kind: 'lines',
          unit: 'ops',
          width: 8,
          queries: [{ expr: sumBy(by, rate(`portcullis_auth_cache_uncacheable_total${mine}`)), legend }],
        },
      ],
    },
  ],
};
