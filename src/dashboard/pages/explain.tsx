// A box for a URL, and who would answer it.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { read } from '../api.ts';
import { useList } from '../hooks.ts';
import { Card, Head, Tag } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import type { EntryPoint, Explanation } from '../types.ts';

export function ExplainPage({ place }: { readonly place: Place }): JSX.Element {
  const [found, setFound] = useState<Explanation | null>(null);
  const [problem, setProblem] = useState('');
  const ask = async (form: FormData): Promise<void> => {
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    const query = new URLSearchParams({ method: text('method'), url: text('url') });
    if (text('entryPoint') !== '') query.set('entryPoint', text('entryPoint'));
    if (text('peer') !== '') query.set('peer', text('peer'));
    for (const line of text('headers').split('\n'))
      if (line.trim() !== '') query.append('header', line.trim());
    try {
      setFound(await read<Explanation>(`portcullis/explain?${query.toString()}`));
      setProblem('');
    } catch (error) {
      setFound(null);
      setProblem(error instanceof Error ? error.message : 'failed');
    }
  };
  return (
    <>
      <Head title="Explain" />
      <p class="dim">
        Which router answers a request, and why the others do not. Nothing is sent to a server.
      </p>
      <Question url={place.query['url'] ?? ''} onAsk={(fields) => void ask(fields)} />
      <div aria-live="polite">
        {problem === '' ? null : <p class="banner bad">{problem}</p>}
        {found === null ? null : (
          <Card title="Answer" wide>
            <p>
              <Tag tone={found.isServed ? 'ok' : 'bad'}>{found.isServed ? 'answered' : 'not answered'}</Tag>{' '}
              {found.router === null ? (
                'no router takes it'
              ) : (
                <>
                  by <a href={hrefOf('routers', found.router)}>{found.router}</a>
                </>
              )}
            </p>
            <pre tabIndex={0} aria-label="The walk in words">
              {found.text}
            </pre>
          </Card>
        )}
      </div>
    </>
  );
}

interface QuestionProps {
  readonly url: string;
  readonly onAsk: (fields: FormData) => void;
}

function Question({ url, onAsk }: QuestionProps): JSX.Element {
  const { data: points } = useList<EntryPoint>('entrypoints?per_page=200');
  return (
    <form
      class="explain card"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk(new FormData(event.currentTarget));
      }}
    >
      <label>
        Method
        <select name="method">
          {['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map((method) => (
            <option key={method}>{method}</option>
          ))}
        </select>
      </label>
      <label class="grow">
        URL
        <input name="url" type="url" required placeholder="https://app.example.com/path" defaultValue={url} />
      </label>
      <label>
        Entry point
        <select name="entryPoint">
          <option value="">by the URL’s port</option>
          {points?.items.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Client’s address
        <input name="peer" placeholder="127.0.0.1" />
      </label>
      <label class="full">
        Headers, one a line
        <textarea name="headers" rows={3} placeholder="X-Tenant: blue" spellcheck={false} />
      </label>
      <button type="submit" class="primary">
        Explain
      </button>
    </form>
  );
}
