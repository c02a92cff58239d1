// Where requests come in, and how it listens there.

import type { JSX } from 'preact';
import { useList } from '../hooks.ts';
import { Card, Head, Options, Tag, Waiting } from '../parts.tsx';
import type { Place } from '../route.ts';
import type { EntryPoint } from '../types.ts';

const sides: Readonly<Record<string, string>> = {
  cleartext: 'cleartext',
  tls: 'TLS',
  both: 'cleartext and TLS',
};

export function EntryPointsPage({ place }: { readonly place: Place }): JSX.Element {
  const { data, problem } = useList<EntryPoint>('entrypoints?per_page=200');
  if (data === null) {
    return (
      <>
        <Head title="Entry points" />
        <Waiting problem={problem} />
      </>
    );
  }
  const shown = place.id === '' ? data.items : data.items.filter(({ name }) => name === place.id);
  return (
    <>
      <Head title={place.id === '' ? 'Entry points' : place.id} />
      {shown.length === 0 ? <p class="dim">There is none of this name.</p> : null}
      <div class="cards">
        {shown.map((point) => (
          <Card title={point.name} key={point.name}>
            <p class="address">
              <code>{point.address}</code> <Tag tone="calm">{point.engine ?? 'unknown'}</Tag>{' '}
              <Tag tone="calm">{sides[point.side ?? ''] ?? point.side ?? 'cleartext'}</Tag>{' '}
              {point.asDefault === true ? <Tag tone="calm">default</Tag> : null}
            </p>
            {point.tlsHosts === undefined ? null : (
              <p>
                TLS for{' '}
                {point.tlsHosts
                  .slice(0, 20)
                  .map(({ host }) => host)
                  .join(', ')}
              </p>
            )}
            <details open={place.id !== ''}>
              <summary>Settings</summary>
              <Options value={{ http: point.http, transport: point.transport }} />
            </details>
          </Card>
        ))}
      </div>
    </>
  );
}
