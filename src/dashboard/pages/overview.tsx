// How it is right now: traffic, what is off, what has changed.

import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Chart, type Line } from '../chart.tsx';
import { ago, count, dateTime, milliseconds, plural, share } from '../format.ts';
import { useLive, useNow, useRead } from '../hooks.ts';
import { Badge, Card, Head, Tag } from '../parts.tsx';
import { hrefOf } from '../route.ts';
import { columns, traffic } from '../summary.ts';
import type { Count, LiveEvent, Overview, Point, Version } from '../types.ts';

const rateLines: readonly Line[] = [
  { label: 'requests/s', color: '--line-1', fill: true },
  { label: '4xx', color: '--line-2' },
  { label: '5xx', color: '--line-3' },
];
const latencyLines: readonly Line[] = [
  { label: 'median', color: '--line-1', fill: true },
  { label: '95 %', color: '--line-2' },
  { label: '99 %', color: '--line-3' },
];
const rates: readonly ((point: Point) => number)[] = [
  ({ requests }) => requests,
  ({ clientErrors }) => clientErrors,
  ({ serverErrors }) => serverErrors,
];
const latencies: readonly ((point: Point) => number | null)[] = [
  ({ p50 }) => p50,
  ({ p95 }) => p95,
  ({ p99 }) => p99,
];

export function OverviewPage(): JSX.Element {
  const { points } = useLive();
  const now = traffic(points);
  const rateData = useMemo(() => columns(points, rates), [points]);
  const latencyData = useMemo(() => columns(points, latencies), [points]);
  return (
    <>
      <Head title="Overview" />
      <dl class="tiles">
        <Tile id="rate" name="requests/s" value={count(now.perSecond)} />
        <Tile id="median" name="median" value={milliseconds(now.p50)} />
        <Tile id="slowest" name="99 %" value={milliseconds(now.p99)} />
        <Tile id="failed" name="5xx, 5 min" value={count(now.serverErrors)} isBad={now.serverErrors > 0} />
        <Tile id="cache" name="auth cache hits" value={share(now.authHits, now.authAsked)} />
      </dl>
      <div class="cards">
        <Card title="Requests" wide>
          <Chart
            lines={rateLines}
            data={rateData}
            unit=""
            summary={`Requests of the last five minutes: ${count(now.requests)}, of them ${count(now.clientErrors)} answered with 4xx and ${count(now.serverErrors)} with 5xx`}
          />
        </Card>
        <Card title="Latency" wide>
          <Chart
            lines={latencyLines}
            data={latencyData}
            unit=" ms"
            summary={`Latency at present: median ${milliseconds(now.p50)}, 99 % below ${milliseconds(now.p99)}`}
          />
        </Card>
        <Objects />
        <Gateway />
        <Changes />
      </div>
    </>
  );
}

interface TileProps {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly isBad?: boolean;
}

function Tile({ id, name, value, isBad = false }: TileProps): JSX.Element {
  return (
    <div class={isBad ? 'tile bad' : 'tile'} data-tile={id}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const zero: Count = { total: 0, warnings: 0, errors: 0 };

function Objects(): JSX.Element {
  const { data } = useRead<Overview>('overview');
  const rows: readonly (readonly [page: string, name: string, count: Count])[] = [
    ['routers', 'Routers', data?.http.routers ?? zero],
    ['services', 'Services', data?.http.services ?? zero],
    ['middlewares', 'Middlewares', data?.http.middlewares ?? zero],
    ['certificates', 'Certificates', data?.certificates ?? zero],
  ];
  return (
    <Card title="Objects">
      <ul class="counts">
        {rows.map(([page, name, { total, errors, warnings }]) => (
          <li key={page}>
            <a href={hrefOf(page)}>{name}</a>
            <span>{count(total)}</span>
            <span>
              {errors > 0 ? (
                <a href={hrefOf(page, '', page === 'certificates' ? {} : { status: 'disabled' })}>
                  <Tag tone="bad">{errors} off</Tag>
                </a>
              ) : warnings > 0 ? (
                <Tag tone="warn">{plural(warnings, 'warning')}</Tag>
              ) : (
                total > 0 && <Badge status="enabled" />
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Gateway(): JSX.Element {
  const { data: version } = useRead<Version>('version');
  const { data: overview } = useRead<Overview>('overview');
  const { answer } = useLive();
  const now = useNow();
  const workers = answer?.workers ?? [];
  return (
    <Card title="Gateway">
      <dl class="facts">
        <dt>version</dt>
        <dd>{version?.Version ?? '–'}</dd>
        <dt>started</dt>
        <dd>{version === null ? '–' : ago(Date.parse(version.startDate), now)}</dd>
        <dt>configuration</dt>
        <dd>{answer === null ? '–' : `version ${answer.version}`}</dd>
        <dt>workers</dt>
        <dd>
          {workers.filter(({ state }) => state === 'running').length} of {workers.length} running
        </dd>
        <dt>providers</dt>
        <dd>{overview?.providers?.join(', ') || '–'}</dd>
      </dl>
    </Card>
  );
}

function Changes(): JSX.Element {
  const { events } = useLive();
  const now = useNow();
  return (
    <Card title="What has changed">
      {events.length === 0 ? <p class="dim">Nothing since the gateway started.</p> : null}
      <ol class="events">
        {events.slice(0, 8).map((event) => (
          <li key={`${event.at} ${event.kind === 'server' ? event.url + event.service : event.version}`}>
            <time dateTime={new Date(event.at).toISOString()} title={dateTime(event.at)}>
              {ago(event.at, now)}
            </time>
            <Change event={event} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Change({ event }: { readonly event: LiveEvent }): JSX.Element {
  if (event.kind === 'snapshot') return <span>configuration version {event.version}</span>;
  return (
    <span>
      <Tag tone={event.up ? 'ok' : 'bad'}>{event.up ? 'up' : 'down'}</Tag> {event.url} of{' '}
      <a href={hrefOf('services', event.service)}>{event.service}</a>
    </span>
  );
}
