// What `explain` looks at: entry points, routers, middlewares and services as the API shows them, so that files
// and a running gateway are told about in the same words.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { certificateFacts, tlsCertificateView } from '../api/certificate-view.ts';
import { entryPointView } from '../api/entry-point-view.ts';
import { viewsOf } from '../api/views.ts';

/** One object of the API; every field may be missing, since another version may have written it. */
export type Shown = { readonly name: string } & { readonly [field: string]: unknown };

export interface Facts {
  readonly entryPoints: readonly Shown[];
  readonly routers: readonly Shown[];
  readonly middlewares: ReadonlyMap<string, Shown>;
  readonly services: ReadonlyMap<string, Shown>;
  /** Named by their fingerprints. */
  readonly certificates: readonly Shown[];
  /** Whether somebody looks after the servers at present. */
  readonly isRunning: boolean;
}

export function factsOf(snapshot: Snapshot, entryPoints: readonly EntryPointSpec[]): Facts {
  const views = viewsOf(snapshot, () => null);
  return {
    // The same detour over text that answers of the API take.
    entryPoints: plain(entryPoints.map((point) => entryPointView(point, snapshot.tls.listeners))),
    routers: plain(views.routers),
    middlewares: byName(plain(views.middlewares)),
    services: byName(plain(views.services)),
    certificates: plain(certificateFacts(snapshot).map(tlsCertificateView)),
    isRunning: false,
  };
}

function plain(items: readonly object[]): Shown[] {
  return JSON.parse(JSON.stringify(items)) as Shown[];
}

export function byName(items: readonly Shown[]): Map<string, Shown> {
  return new Map(items.map((item) => [item.name, item]));
}
