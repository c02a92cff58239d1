// Where in the dashboard one is: `#/routers/name?search=x`. Behind the hash, so that no prefix matters.

export interface Place {
  readonly page: string;
  /** Empty: the page's list. */
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
}

export function parsePlace(hash: string): Place {
  const text = hash.replace(/^#\/?/, '');
  const mark = text.indexOf('?');
  const path = mark === -1 ? text : text.slice(0, mark);
  const slash = path.indexOf('/');
  const page = slash === -1 ? path : path.slice(0, slash);
  return {
    page: page === '' ? 'overview' : page,
    id: slash === -1 ? '' : decoded(path.slice(slash + 1)),
    query: Object.fromEntries(new URLSearchParams(mark === -1 ? '' : text.slice(mark + 1))),
  };
}

/** Empty values are left out. */
export function hrefOf(page: string, id = '', query: Readonly<Record<string, string>> = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== '');
  const search = kept.length === 0 ? '' : `?${new URLSearchParams(kept).toString()}`;
  return `#/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}${search}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
