// What failed of late, whose fault it was, and where.

import type { JSX } from 'preact';
import { ago, count, dateTime } from '../format.ts';
import { useLive, useNow } from '../hooks.ts';
import { Head, Table, Tag } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';

const blames: Readonly<Record<string, string>> = {
  client: 'the client',
  auth: 'the auth server',
  server: 'the server',
  service: 'the service',
  us: 'the gateway',
};

export function ErrorsPage({ place }: { readonly place: Place }): JSX.Element {
  const { errors, answer } = useLive();
  const now = useNow(1_000);
  const { blame = '' } = place.query;
  const shown = errors.filter((error) => blame === '' || error.blame === blame);
  return (
    <>
      <Head title="Recent errors">
        <div class="filters">
          <label>
            Whose fault
            <select
              value={blame}
              onChange={(event) =>
                location.replace(hrefOf('errors', '', { blame: event.currentTarget.value }))
              }
            >
              <option value="">anyone’s</option>
              {Object.entries(blames).map(([key, word]) => (
                <option key={key} value={key}>
                  {word}
                </option>
              ))}
            </select>
          </label>
        </div>
      </Head>
      <Table caption="Recent errors" heads={['Last', 'Times', 'Answer', 'Code', 'Fault of', 'Where']}>
        {shown.map((error) => (
          <tr key={`${error.code} ${error.router} ${error.server}`}>
            <td data-label="Last">
              <time dateTime={new Date(error.last).toISOString()} title={dateTime(error.last)}>
                {ago(error.last, now)}
              </time>
            </td>
            <td data-label="Times">{count(error.count)}</td>
            <td data-label="Answer">
              <Tag tone={error.status >= 500 ? 'bad' : 'warn'}>{error.status}</Tag>
            </td>
            <th scope="row" data-label="Code">
              <code>{error.code}</code>
              {error.reason === error.code ? null : <small class="reason">{error.reason}</small>}
            </th>
            <td data-label="Fault of">{blames[error.blame] ?? error.blame}</td>
            <td data-label="Where">
              {error.router === null ? (
                <span class="dim">no router, on {error.entryPoint}</span>
              ) : (
                <a href={hrefOf('routers', error.router)}>{error.router}</a>
              )}
              {error.server === null ? null : <code> {error.server}</code>}
            </td>
          </tr>
        ))}
      </Table>
      {shown.length === 0 ? (
        <p class="dim empty">{answer === null ? 'Loading…' : 'None since the gateway started.'}</p>
      ) : null}
    </>
  );
}
