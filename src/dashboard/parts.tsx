// The pieces that pages are made of.

import type { ComponentChildren, JSX } from 'preact';
import { hrefOf } from './route.ts';
import type { Status } from './types.ts';

const words: Readonly<Record<string, string>> = { enabled: 'on', warning: 'warning', disabled: 'off' };

/** Colour is never the only sign: the word is there too. */
export function Badge({ status }: { readonly status: Status | undefined }): JSX.Element {
  const word = status === undefined ? 'unknown' : words[status];
  return <span class={`badge ${status ?? 'unknown'}`}>{word ?? status}</span>;
}

export function Tag({
  tone,
  children,
}: {
  tone: 'ok' | 'warn' | 'bad' | 'calm';
  children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}

interface HeadProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function Head({ title, children }: HeadProps): JSX.Element {
  return (
    <div class="head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

interface CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
}

export function Card({ title, children, wide = false }: CardProps): JSX.Element {
  return (
    <section class={wide ? 'card wide' : 'card'} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Why({ reasons }: { readonly reasons: readonly string[] | undefined }): JSX.Element | null {
  if (reasons === undefined || reasons.length === 0) return null;
  return (
    <ul class="why">
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}

interface LinksProps {
  readonly page: string;
  readonly names: readonly string[] | undefined;
  /** What stands there when there are none. */
  readonly none?: string;
}

/** Links shown at once; the rest is a number. */
const maxLinks = 50;

export function Links({ page, names = [], none = 'none' }: LinksProps): JSX.Element {
  if (names.length === 0) return <span class="dim">{none}</span>;
  return (
    <ul class="links">
      {names.slice(0, maxLinks).map((name) => (
        <li key={name}>
          <a href={hrefOf(page, name)}>{name}</a>
        </li>
      ))}
      {names.length > maxLinks ? <li class="dim">and {names.length - maxLinks} more</li> : null}
    </ul>
  );
}

/** While an answer is on its way the place for it is held; a problem is said aloud. */
export function Waiting({ problem }: { readonly problem: string | null }): JSX.Element {
  if (problem === null)
    return (
      <p class="waiting" aria-busy="true">
        Loading…
      </p>
    );
  return (
    <p class="banner bad" role="alert">
      {problem}
    </p>
  );
}

interface PendingProps {
  readonly title: string;
  readonly problem: string | null;
}

/** A whole page whose data is not there yet. */
export function Pending({ title, problem }: PendingProps): JSX.Element {
  return (
    <>
      <Head title={title} />
      <Waiting problem={problem} />
    </>
  );
}

interface TableProps {
  readonly caption: string;
  readonly heads: readonly string[];
  readonly children: ComponentChildren;
}

/** On a narrow screen each row is a block, and cells name themselves by `data-label`. */
export function Table({ caption, heads, children }: TableProps): JSX.Element {
  return (
    <table>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

/** Plain data, readable: keys to the left, what they hold to the right. */
export function Options({
  value,
  depth = 0,
}: {
  readonly value: unknown;
  readonly depth?: number;
}): JSX.Element {
  if (value === null || value === undefined || value === '') return <span class="dim">–</span>;
  if (typeof value !== 'object') return <code>{String(value)}</code>;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span class="dim">none</span>;
    return (
      <ul class="values">
        {value.slice(0, 200).map((item: unknown, index) => (
          <li key={index}>
            <Options value={item} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  const fields = Object.entries(value);
  if (fields.length === 0) return <span class="dim">defaults</span>;
  return (
    <dl class="options">
      {fields.map(([key, inner]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{depth > 8 ? '…' : <Options value={inner} depth={depth + 1} />}</dd>
        </div>
      ))}
    </dl>
  );
}
