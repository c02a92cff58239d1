// All routers, a page at a time.

import type { JSX } from 'preact';
import { ListPage } from '../list-page.tsx';
import { Badge, Why } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import type { Router } from '../types.ts';

export function RoutersPage({ place }: { readonly place: Place }): JSX.Element {
  return (
    <ListPage<Router>
      place={place}
      title="Routers"
      kind="routers"
      heads={['Status', 'Name', 'Rule', 'Entry points', 'Service']}
      row={(router) => (
        <tr key={router.name}>
          <td data-label="Status">
            <Badge status={router.status} />
          </td>
          <th scope="row" data-label="Name">
            <a href={hrefOf('routers', router.name)}>{router.name}</a>
            <Why reasons={router.error} />
          </th>
          <td data-label="Rule">
            <code>{router.rule}</code>
          </td>
          <td data-label="Entry points">{router.entryPoints?.join(', ')}</td>
          <td data-label="Service">{router.service}</td>
        </tr>
      )}
    />
  );
}
