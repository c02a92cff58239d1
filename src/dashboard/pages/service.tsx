// One service: its servers with their health and its history, and a switch that lets a server run dry.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { send } from '../api.ts';
import { ago, dateTime } from '../format.ts';
import { useLive, useNow, useRead } from '../hooks.ts';
import { Badge, Card, Head, Links, Options, Pending, Table, Tag, Why } from '../parts.tsx';
import type { Place } from '../route.ts';
import { historyOf, optionsOf, originOf } from '../summary.ts';
import type { Service } from '../types.ts';

export function ServicePage({ place }: { readonly place: Place }): JSX.Element {
  const { data, problem } = useRead<Service>(`http/services/${encodeURIComponent(place.id)}`);
  if (data === null) {
    return <Pending title={place.id} problem={problem} />;
  }
  return (
    <>
      <Head title={data.name}>
        <Badge status={data.status} />
      </Head>
      <Why reasons={data.error} />
      <div class="cards">
        {data.loadBalancer === undefined ? null : <Servers service={data} />}
        {data.loadBalancer === undefined ? null : <History service={data} />}
        <Card title="Used by">
          <Links page="routers" names={data.usedBy} none="no router" />
        </Card>
        <Card title="Settings">
          {optionsOf(data).map(([key, value]) => (
            <Options key={key} value={value} />
          ))}
        </Card>
      </div>
    </>
  );
}

interface Drains {
  readonly drains: readonly { readonly service: string; readonly url: string }[];
}

function Servers({ service }: { readonly service: Service }): JSX.Element {
  const [asked, setAsked] = useState(0);
  const { data } = useRead<Drains>(`portcullis/servers/drain?again=${asked}`);
  const [said, setSaid] = useState('');
  const servers = service.loadBalancer?.servers ?? [];
  const isChecked =
    service.loadBalancer?.healthCheck !== undefined || service.loadBalancer?.passiveHealthCheck !== undefined;
  const drain = async (url: string, isDraining: boolean): Promise<void> => {
    const question = isDraining
      ? `Give no new sessions to ${url}? It keeps those it has.`
      : `Take ${url} back in?`;
    if (!confirm(question)) return;
    try {
      await send('portcullis/servers/drain', { service: service.name, url, drain: isDraining });
      setSaid(isDraining ? `${url} drains` : `${url} is back`);
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'failed');
    }
    setAsked(asked + 1);
  };
  return (
    <Card title="Servers" wide>
      <Table caption="Servers" heads={['Health', 'Address', 'Weight', 'Sessions']}>
        {servers.map(({ url, weight = 1, drain: isWritten = false }) => {
          const origin = originOf(url);
          const isDown = service.serverStatus?.[origin] === 'DOWN';
          const isDrained =
            data?.drains.some((one) => one.service === service.name && one.url === origin) === true;
          return (
            <tr key={url}>
              <td data-label="Health">
                <Tag tone={isDown ? 'bad' : isChecked ? 'ok' : 'calm'}>
                  {isDown ? 'down' : isChecked ? 'up' : 'not checked'}
                </Tag>
              </td>
              <th scope="row" data-label="Address">
                <code>{url}</code>
              </th>
              <td data-label="Weight">{weight}</td>
              <td data-label="Sessions">
                {isWritten ? (
                  'drains, by its configuration'
                ) : (
                  <button type="button" onClick={() => void drain(origin, !isDrained)}>
                    {isDrained ? 'Take back' : 'Drain'}
                  </button>
                )}
              </td>
            </tr>
          );
        })}
      </Table>
      {servers.length === 0 ? <p class="dim">It has no servers: every request gets 503.</p> : null}
      <p role="status" class="said">
        {said}
      </p>
    </Card>
  );
}

function History({ service }: { readonly service: Service }): JSX.Element {
  const { events } = useLive();
  const now = useNow();
  const own = historyOf(events, service.name);
  return (
    <Card title="Health history">
      {own.length === 0 ? <p class="dim">No server has gone up or down since the gateway started.</p> : null}
      <ol class="events">
        {own.slice(0, 30).map((event) =>
          event.kind === 'server' ? (
            <li key={`${event.at} ${event.url}`}>
              <time dateTime={new Date(event.at).toISOString()} title={dateTime(event.at)}>
                {ago(event.at, now)}
              </time>
              <span>
                <Tag tone={event.up ? 'ok' : 'bad'}>{event.up ? 'up' : 'down'}</Tag> <code>{event.url}</code>
              </span>
            </li>
          ) : null,
        )}
      </ol>
    </Card>
  );
}
