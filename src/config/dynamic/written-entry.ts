// A router's spec → what was written of it; copies made for entry points lead to the one they were made of.

import type { RouterSpec } from '../../model/snapshot.ts';
import type { Entry, Merged } from './merge.ts';
import type { RouterConfig } from './schema.ts';

export function writtenEntry(
  { name, entryPoints }: RouterSpec,
  { routers }: Merged,
): Entry<RouterConfig> | undefined {
  const prefix = `${entryPoints[0]}-`;
  return routers.get(name) ?? (name.startsWith(prefix) ? routers.get(name.slice(prefix.length)) : undefined);
}
