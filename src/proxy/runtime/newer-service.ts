// For a request that waits while its configuration is replaced: the service of the same name that serves now.

import type { ServiceSpec } from '../../model/snapshot.ts';
import type { Exchange } from '../exchange.ts';
import type { Service } from '../services/service.ts';
import type { Runtime } from './runtime.ts';

/**
 * The service that has taken the place of `owner`, without middlewares of its own. Null when none has, or when the two
 * Runtimes do not agree on all that a request passes on its way there: what was not checked must not get further.
 */
export function newerService(
  owner: Service,
  x: Exchange,
  { now, before }: { readonly now: Runtime | null; readonly before: Runtime | null },
): Service | null {
  if (now === null || before === null || before.bareService(owner.name) !== owner) return null;
  const newer = now.bareService(owner.name);
  if (newer === null || newer === owner) return null;
  const name = x.route?.name;
  const router = now.snapshot.routers.find((spec) => spec.name === name);
  // Specs that did not change keep their identity.
  if (router === undefined || !before.snapshot.routers.includes(router)) return null;
  if (!sameItems(now.snapshot.middlewares, before.snapshot.middlewares)) return null;
  return asksNoMore(owner.name, now.snapshot.services, before.snapshot.services) ? newer : null;
}

/** Services may have middlewares as well: `name` has those it had, and nothing else has changed. */
function asksNoMore(name: string, now: readonly ServiceSpec[], before: readonly ServiceSpec[]): boolean {
  const known = new Set(before);
  const changed = now.filter((spec) => !known.has(spec));
  const [spec] = changed;
  if (changed.length !== 1 || spec?.name !== name) return false;
  const old = before.find((one) => one.name === name);
  return old !== undefined && sameItems(middlewaresOf(spec), middlewaresOf(old));
}

function middlewaresOf(spec: ServiceSpec): readonly string[] {
  return 'middlewares' in spec ? (spec.middlewares ?? []) : [];
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
