// The hash of a Snapshot: equal content, equal hash, whatever order it was written in.

import type { Snapshot } from '../../model/snapshot.ts';
import { contentHash } from '../../util/content-hash.ts';

export { canonicalJson } from '../../util/content-hash.ts';

/** SHA-256, hex. */
export function hashOf(content: Omit<Snapshot, 'version' | 'hash'>): string {
  return contentHash([
    content.routers,
    content.middlewares,
    content.services,
    content.transports,
    [content.tls],
  ]);
}
