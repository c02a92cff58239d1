// Certificates: what is served until when, and how obtaining them goes.

import type { JSX } from 'preact';
import { ago, dateTime, plural } from '../format.ts';
import { useList, useNow, useRead } from '../hooks.ts';
import { Card, Head, Table, Tag, Waiting } from '../parts.tsx';
import type { Acme, Certificate } from '../types.ts';

const tones = { enabled: 'ok', warning: 'warn', expired: 'bad' } as const;
const words = { enabled: 'valid', warning: 'ends soon', expired: 'expired' } as const;

export function CertificatesPage(): JSX.Element {
  const { data, problem } = useList<Certificate>('tls/certificates?per_page=500');
  const acme = useRead<readonly Acme[]>('portcullis/acme');
  const now = useNow();
  // Both at once: nothing jumps.
  const isReady = data !== null && (acme.data !== null || acme.problem !== null);
  return (
    <>
      <Head title="Certificates" />
      {isReady ? (
        <>
          <Served certificates={data.items} now={now} />
          <div class="cards">
            <Card title="By ACME" wide>
              {acme.problem === null ? null : <Waiting problem={acme.problem} />}
              {acme.data?.length === 0 ? <p class="dim">No resolver obtains certificates.</p> : null}
              <ul class="acme">
                {acme.data?.map((one) => (
                  <AcmeView key={`${one.resolver} ${one.names.join(' ')}`} one={one} now={now} />
                ))}
              </ul>
            </Card>
          </div>
        </>
      ) : (
        <Waiting problem={problem} />
      )}
    </>
  );
}

interface ServedProps {
  readonly certificates: readonly Certificate[];
  readonly now: number;
}

function Served({ certificates, now }: ServedProps): JSX.Element {
  if (certificates.length === 0) {
    return (
      <p class="dim empty">
        None: names without a certificate get one the gateway makes itself, which no client trusts.
      </p>
    );
  }
  return (
    <Table caption="Certificates" heads={['Status', 'Names', 'Until', 'From', 'SHA-256']}>
      {certificates.map((one) => (
        <tr key={one.name}>
          <td data-label="Status">
            <Tag tone={tones[one.status]}>{words[one.status]}</Tag>
          </td>
          <th scope="row" data-label="Names">
            {one.names.slice(0, 20).join(', ')}
          </th>
          <td data-label="Until">
            {dateTime(one.notAfter)} <span class="dim">{ago(Date.parse(one.notAfter), now)}</span>
          </td>
          <td data-label="From">{one.source}</td>
          <td data-label="SHA-256">
            <code title={one.name}>{one.name.slice(0, 12)}…</code>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function AcmeView({ one, now }: { readonly one: Acme; readonly now: number }): JSX.Element {
  const isBad = one.state === 'missing' || one.state === 'expired' || one.failures > 0;
  return (
    <li>
      <p>
        <Tag tone={isBad ? 'bad' : one.state === 'valid' ? 'ok' : 'warn'}>{one.state}</Tag>{' '}
        {one.names.join(', ')} <span class="dim">by {one.resolver}</span>
      </p>
      <p class="dim">
        {[
          one.notAfter === null ? '' : `until ${dateTime(one.notAfter)}`,
          one.renewAt === null ? '' : `renewed ${ago(one.renewAt, now)}`,
          one.nextTry === null ? '' : `next try ${ago(one.nextTry, now)}`,
          one.failures === 0 ? '' : plural(one.failures, 'failure'),
        ]
          .filter((text) => text !== '')
          .join(', ')}
      </p>
      {one.lastError === null ? null : <p class="why">{one.lastError}</p>}
    </li>
  );
}
