// /api/diagnostics: what is wrong with the configuration, and where it is written.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ApiAnswer } from '../../model/ipc.ts';
import { page } from './list.ts';

/** Errors first; `severity` and `search` narrow it down, pages are those of every list. */
export function diagnostics(all: readonly Diagnostic[], query: URLSearchParams): Promise<ApiAnswer> {
  const severity = query.get('severity')?.toLowerCase() ?? '';
  const search = query.get('search')?.toLowerCase() ?? '';
  const found = all.filter(
    (one) =>
      (severity === '' || one.severity === severity) &&
      (search === '' ||
        [one.code, one.message, one.where.source, one.where.path ?? ''].some((text) =>
          text.toLowerCase().includes(search),
        )),
  );
  const order = ['error', 'warning', 'info'];
  return page(
    found.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)),
    query,
  );
}
