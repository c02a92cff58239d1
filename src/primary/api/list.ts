// Lists of the API: filters, order and pages.

import type { ApiAnswer } from '../../model/ipc.ts';
import { failure, jsonList } from './answers.ts';

export type Status = 'enabled' | 'disabled' | 'warning';

/** What every listed object has. */
export interface Listed {
  readonly name: string;
  readonly provider: string;
  readonly status: Status;
  /** What its kind adds: filters and orders look fields up by name. */
  readonly [field: string]: unknown;
}

export function statusOf(errors: readonly string[], warnings: readonly string[]): Status {
  if (errors.length > 0) return 'disabled';
  return warnings.length > 0 ? 'warning' : 'enabled';
}

export function errorsOf(errors: readonly string[]): { readonly error?: readonly string[] } {
  return errors.length === 0 ? {} : { error: errors };
}

const defaultPerPage = 100;

/** Filters, order and page as the query asks. */
export function list(items: readonly Listed[], query: URLSearchParams): Promise<ApiAnswer> {
  return page(sorted(filtered(items, query), query), query);
}

/** One page of `items` as they are. */
export async function page(items: readonly unknown[], query: URLSearchParams): Promise<ApiAnswer> {
  const perPage = positive(query.get('per_page'), defaultPerPage);
  if (typeof perPage === 'string') return failure(400, `invalid request: per_page: ${perPage}`);
  const number = positive(query.get('page'), 1);
  if (typeof number === 'string') return failure(400, `invalid request: page: ${number}`);
  const start = (number - 1) * perPage;
  if (start > 0 && start >= items.length)
    return failure(400, `invalid request: page: ${number}, per_page: ${perPage}`);
  const end = start + perPage;
  const next = end < items.length ? number + 1 : 1;
  return jsonList(items.slice(start, end), ['X-Next-Page', String(next)]);
}

/** The number, or what a message calls it: 0 for what is none. */
function positive(text: string | null, fallback: number): number | string {
  if (text === null || text === '') return fallback;
  if (!/^[+-]?\d{1,9}$/.test(text)) return '0';
  return Number(text) > 0 ? Number(text) : String(Number(text));
}

function filtered(items: readonly Listed[], query: URLSearchParams): readonly Listed[] {
  const wanted = (name: string): string => query.get(name) ?? '';
  const status = wanted('status').toLowerCase();
  const service = wanted('serviceName');
  const middleware = wanted('middlewareName');
  const search = wanted('search').toLowerCase();
  if (status === '' && service === '' && middleware === '' && search === '') return items;
  return items.filter(
    (item) =>
      (status === '' || item.status === status) &&
      (service === '' || !('rule' in item) || isService(textOf(item, 'service'), service)) &&
      (middleware === '' || !('rule' in item) || names(item['middlewares'], middleware)) &&
      (search === '' ||
        [item.name, textOf(item, 'rule')].some((text) => text.toLowerCase().includes(search))),
  );
}

/** A router shows its service mostly without the provider, and is asked for with it. */
function isService(shown: string, wanted: string): boolean {
  return shown === (shown.includes('@') ? wanted : wanted.split('@', 1)[0]);
}

function names(value: unknown, wanted: string): boolean {
  return Array.isArray(value) && value.includes(wanted);
}

type Key = (item: Listed) => string | number;

const orders: ReadonlyMap<string, Key> = new Map<string, Key>([
  ...['provider', 'status', 'rule', 'service', 'type'].map((field): [string, Key] => [
    field,
    (item) => textOf(item, field),
  ]),
  ['priority', (item: Listed) => Number(item['priority'] ?? 0)],
  ['entryPoints', (item: Listed) => lengthOf(item['entryPoints'])],
  [
    'servers',
    (item: Listed) => lengthOf((item['loadBalancer'] as { servers?: unknown } | undefined)?.servers),
  ],
]);

/** Numbers of things, not the things, are compared where Traefik does so. */
function sorted(items: readonly Listed[], query: URLSearchParams): readonly Listed[] {
  const direction = query.get('direction') ?? '';
  const sign = direction === '' || direction === 'asc' ? 1 : -1;
  const key = orders.get(query.get('sortBy') ?? '');
  if (key === undefined) return items.toSorted((a, b) => sign * order(a.name, b.name));
  return items.toSorted((a, b) => sign * (order(key(a), key(b)) || order(a.name, b.name)));
}

function order(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function textOf(item: Listed, field: string): string {
  const value: unknown = item[field];
  return typeof value === 'string' ? value : '';
}
