// What is wrong with the configuration, where it is written, and what would mend it.

import type { JSX } from 'preact';
import { useList } from '../hooks.ts';
import { SearchBox } from '../list-page.tsx';
import { Head, Tag, Waiting } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import type { Diagnostic } from '../types.ts';

const tones = { error: 'bad', warning: 'warn', info: 'calm' } as const;

export function DiagnosticsPage({ place }: { readonly place: Place }): JSX.Element {
  const { search = '' } = place.query;
  const query = new URLSearchParams({ search, per_page: '200' });
  const { data, problem } = useList<Diagnostic>(`diagnostics?${query.toString()}`);
  return (
    <>
      <Head title="Configuration">
        <search class="filters">
          <SearchBox
            value={search}
            label="Search diagnostics"
            onSearch={(text) => location.replace(hrefOf('diagnostics', '', { search: text }))}
          />
        </search>
      </Head>
      {data === null ? <Waiting problem={problem} /> : null}
      {data?.items.length === 0 ? <p class="dim empty">Nothing to complain about.</p> : null}
      <ul class="diagnostics">
        {data?.items.map((one, index) => (
          <li key={index} class="card">
            <p>
              <Tag tone={tones[one.severity]}>{one.severity}</Tag> {one.message}
            </p>
            {one.hint === undefined ? null : <p class="hint">{one.hint}</p>}
            <p class="dim">
              <code>{placeOf(one)}</code> · {one.code}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function placeOf({ where }: Diagnostic): string {
  const line = where.line === undefined ? '' : `:${where.line}`;
  const column = where.column === undefined || line === '' ? '' : `:${where.column}`;
  const path = where.path === undefined || where.path === '' ? '' : ` (${where.path})`;
  return `${where.source}${line}${column}${path}`;
}
