// All services, with how many of their servers are up.

import type { JSX } from 'preact';
import { ListPage } from '../list-page.tsx';
import { Badge, Tag, Why } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import type { Service } from '../types.ts';

export function ServicesPage({ place }: { readonly place: Place }): JSX.Element {
  return (
    <ListPage<Service>
      place={place}
      title="Services"
      kind="services"
      heads={['Status', 'Name', 'Type', 'Servers', 'Used by']}
      row={(service) => (
        <tr key={service.name}>
          <td data-label="Status">
            <Badge status={service.status} />
          </td>
          <th scope="row" data-label="Name">
            <a href={hrefOf('services', service.name)}>{service.name}</a>
            <Why reasons={service.error} />
          </th>
          <td data-label="Type">{service.type ?? 'internal'}</td>
          <td data-label="Servers">
            <Servers service={service} />
          </td>
          <td data-label="Used by">{service.usedBy?.length ?? 0}</td>
        </tr>
      )}
    />
  );
}

function Servers({ service }: { readonly service: Service }): JSX.Element {
  const states = Object.values(service.serverStatus ?? {});
  if (states.length === 0) return <span class="dim">–</span>;
  const up = states.filter((state) => state === 'UP').length;
  const tone = up === states.length ? 'ok' : up === 0 ? 'bad' : 'warn';
  return (
    <Tag tone={tone}>
      {up} of {states.length} up
    </Tag>
  );
}
