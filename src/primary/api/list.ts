// Lists of the API: filters, order and pages.

import type { ApiAnswer } from '../../model/ipc.ts';
import { failure, json } from './answers.ts';

export type Status = 'enabled' | 'disabled' | 'warning';

/** What every listed object has. */
export interface Listed {
  readonly name: string;
  readonly provider: string;
  readonly status: Status;
  /** What its kind adds: filters and orders look fields up by name. */
  readonly [field: string]: unknown;
}

const defaultPerPage = 100;

export function list(items: readonly Listed[], query: URLSearchParams): ApiAnswer {
  const page = positive(query.get('page'), 1);
  const perPage = positive(query.get('per_page'), defaultPerPage);
  const found = sorted(
    items.filter((item) => matches(item, query)),
    query,
  );
  const start = (page - 1) * perPage;
  if (!(page > 0 && perPage > 0) || (start > 0 && start >= found.length)) {
    const asked = `page: ${shown(query.get('page'), 1)}, per_page: ${shown(query.get('per_page'), defaultPerPage)}`;
    return failure(400, `invalid request: ${asked}`);
  }
  const end = start + perPage;
  const next = end < found.length ? page + 1 : 1;
  return json(found.slice(start, end), ['X-Next-Page', String(next)]);
}

function positive(text: string | null, fallback: number): number {
  if (text === null || text === '') return fallback;
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
}

function shown(text: string | null, fallback: number): string {
  return text === null || text === '' ? String(fallback) : text.slice(0, 20);
}

function matches(item: Listed, query: URLSearchParams): boolean {
  const status = query.get('status');
  if (status !== null && status !== '' && item.status !== status.toLowerCase()) return false;
  if (!has(item, 'service', query.get('serviceName'))) return false;
  if (!has(item, 'middlewares', query.get('middlewareName'))) return false;
  const search = query.get('search')?.toLowerCase() ?? '';
  if (search === '') return true;
  return [item.name, textOf(item, 'rule'), textOf(item, 'type'), item.provider].some((text) =>
    text.toLowerCase().includes(search),
  );
}

function has(item: Listed, field: string, wanted: string | null): boolean {
  if (wanted === null || wanted === '') return true;
  const value: unknown = item[field];
  return Array.isArray(value) ? value.includes(wanted) : value === wanted;
}

function sorted(items: readonly Listed[], query: URLSearchParams): readonly Listed[] {
  const field = query.get('sortBy') ?? 'name';
  const sign = query.get('direction') === 'desc' ? -1 : 1;
  return items.toSorted((a, b) => sign * (order(keyOf(a, field), keyOf(b, field)) || order(a.name, b.name)));
}

function keyOf(item: Listed, field: string): string | number {
  const value: unknown = item[field];
  if (typeof value === 'number' || typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(',') : '';
}

function order(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function textOf(item: Listed, field: string): string {
  const value: unknown = item[field];
  return typeof value === 'string' ? value : '';
}
