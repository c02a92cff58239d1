// How long the head of a request may take.

import type { EntryPointSpec } from '../../model/entry-point.ts';

/** Milliseconds; 0 is no limit. */
export function headTimeout({ readTimeout, readHeaderTimeout = 0 }: EntryPointSpec['transport']): number {
  if (readHeaderTimeout === 0 || readTimeout === 0) return Math.max(readHeaderTimeout, readTimeout);
  return Math.min(readHeaderTimeout, readTimeout);
}
