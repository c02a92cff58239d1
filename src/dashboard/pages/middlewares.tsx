// Middlewares: all of them, and one with what it was told. Secrets are hidden by the API already.

import type { JSX } from 'preact';
import { useRead } from '../hooks.ts';
import { ListPage } from '../list-page.tsx';
import { Badge, Card, Head, Links, Options, Pending, Why } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import { optionsOf } from '../summary.ts';
import type { Listed } from '../types.ts';

export function MiddlewaresPage({ place }: { readonly place: Place }): JSX.Element {
  return (
    <ListPage<Listed>
      place={place}
      title="Middlewares"
      kind="middlewares"
      heads={['Status', 'Name', 'Type', 'Provider', 'Used by']}
      row={(one) => (
        <tr key={one.name}>
          <td data-label="Status">
            <Badge status={one.status} />
          </td>
          <th scope="row" data-label="Name">
            <a href={hrefOf('middlewares', one.name)}>{one.name}</a>
            <Why reasons={one.error} />
          </th>
          <td data-label="Type">{one.type}</td>
          <td data-label="Provider">{one.provider}</td>
          <td data-label="Used by">{one.usedBy?.length ?? 0}</td>
        </tr>
      )}
    />
  );
}

export function MiddlewarePage({ place }: { readonly place: Place }): JSX.Element {
  const { data, problem } = useRead<Listed>(`http/middlewares/${encodeURIComponent(place.id)}`);
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
        <Card title="Options" wide>
          {optionsOf(data).map(([kind, options]) => (
            <div key={kind}>
              <h3>{kind}</h3>
              <Options value={options} />
            </div>
          ))}
        </Card>
        <Card title="Used by">
          <Links page="routers" names={data.usedBy} none="no router" />
        </Card>
      </div>
    </>
  );
}
