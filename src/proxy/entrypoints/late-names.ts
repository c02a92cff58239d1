// Identity headers of a request that was read under another configuration than the one it is served by.

import { foldName, type HeaderList } from '../headers.ts';
import type { ManagedNames } from './intake-headers.ts';

/** Takes out what intake would take out now. */
export function dropManaged(headers: HeaderList, managed: ManagedNames): void {
  for (let i = headers.length - 2; i >= 0; i -= 2)
    if (managed.has(foldName(headers[i] as string))) headers.splice(i, 2);
}
