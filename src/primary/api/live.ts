// GET /api/portcullis/live: what has happened since the client last asked; held until there is a new second. Asked
// again and again instead of streamed: each time the router's middlewares let the client in anew, no worker keeps
// anything of it beyond that second, and a drain has nothing to wait for.

import type { ApiAnswer } from '../../model/ipc.ts';
import type { LiveNumbers } from '../live.ts';
import { json } from './answers.ts';
import type { ApiSources } from './facts.ts';

/** `after` and `revision` are what the answer before gave. */
export async function live(
  query: URLSearchParams,
  numbers: LiveNumbers,
  sources: ApiSources,
): Promise<ApiAnswer> {
  const after = numberOf(query.get('after'));
  const revision = numberOf(query.get('revision'));
  const first = numbers.view(after, revision);
  // The first answer of all comes at once.
  if (after > 0 && first.points.length === 0) await numbers.next();
  const view = after > 0 && first.points.length === 0 ? numbers.view(after, revision) : first;
  const { version, hash } = sources.snapshot();
  const found = sources.diagnostics();
  return json(
    {
      ...view,
      version,
      hash,
      workers: sources.workers(),
      diagnostics: {
        errors: found.filter(({ severity }) => severity === 'error').length,
        warnings: found.filter(({ severity }) => severity === 'warning').length,
      },
    },
    ['Cache-Control', 'no-store'],
  );
}

function numberOf(text: string | null): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
