// What routers, services and middlewares have in common as lists: search, status, pages; all kept in the address.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useList } from './hooks.ts';
import { Head, Table, Waiting } from './parts.tsx';
import { hrefOf, type Place } from './route.ts';
import type { Listed } from './types.ts';

interface Props<T extends Listed> {
  readonly place: Place;
  readonly title: string;
  /** Behind `http/`, and in the address. */
  readonly kind: 'routers' | 'services' | 'middlewares';
  readonly heads: readonly string[];
  readonly row: (item: T) => ComponentChildren;
}

const perPage = 50;
/** Milliseconds without a key before it is searched. */
const typingPause = 200;

/** Pages are made by the API: ten thousand objects cost no more here than fifty. */
export function ListPage<T extends Listed>({ place, title, kind, heads, row }: Props<T>): JSX.Element {
  const { search = '', status = '', page = '1' } = place.query;
  const query = new URLSearchParams({ search, status, page, per_page: String(perPage) });
  const { data, problem } = useList<T>(`http/${kind}?${query.toString()}`);
  const go = (change: Readonly<Record<string, string>>): void => {
    // Typing must not fill the browser's history.
    location.replace(hrefOf(kind, '', { search, status, page: '', ...change }));
  };
  const number = Number(page);
  return (
    <>
      <Head title={title}>
        <search class="filters">
          <SearchBox value={search} onSearch={(text) => go({ search: text })} label={`Search ${kind}`} />
          <label>
            Status
            <select value={status} onChange={(event) => go({ status: event.currentTarget.value })}>
              <option value="">all</option>
              <option value="disabled">off</option>
              <option value="warning">warning</option>
              <option value="enabled">on</option>
            </select>
          </label>
        </search>
      </Head>
      {data === null ? (
        <Waiting problem={problem} />
      ) : (
        <>
          <Table caption={title} heads={heads}>
            {data.items.map(row)}
          </Table>
          {data.items.length === 0 ? <p class="dim empty">Nothing found.</p> : null}
          <nav class="pages" aria-label="Pages of the list">
            <button type="button" disabled={number <= 1} onClick={() => go({ page: String(number - 1) })}>
              Previous
            </button>
            <span aria-live="polite">
              Page {page}, {data.items.length} {data.items.length === 1 ? 'row' : 'rows'}
            </span>
            <button
              type="button"
              disabled={data.next === null}
              onClick={() => go({ page: String(number + 1) })}
            >
              Next
            </button>
          </nav>
        </>
      )}
    </>
  );
}

interface SearchProps {
  readonly value: string;
  readonly label: string;
  readonly onSearch: (text: string) => void;
}

export function SearchBox({ value, label, onSearch }: SearchProps): JSX.Element {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label>
      {label}
      <input
        type="search"
        value={text}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onSearch(next), typingPause);
        }}
      />
    </label>
  );
}
