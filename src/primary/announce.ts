// The moment the gateway serves: who waits for it is told, and whom it replaces leaves.

import { formatLine } from '../config/diagnostics.ts';
import type { ResolvedStatic } from '../config/static/resolve.ts';
import type { Log } from '../observability/log.ts';
import type { Predecessor } from './handover.ts';
import { someWorkerAnswers } from './liveness.ts';
import type { Notifier } from './notify.ts';
import type { Primary } from './primary.ts';

export interface Announcement {
  readonly resolved: ResolvedStatic;
  readonly log: Log;
  readonly notifier: Notifier;
  /** Null unless this is a handover. */
  readonly predecessor: Predecessor | null;
  readonly replaces?: { readonly despiteErrors: boolean };
  readonly onServing?: () => void;
  /** It has been told to end. */
  readonly leaves: () => boolean;
}

/** It serves, but must not take the other one's place, or will not be there. */
export class HandoverRefused extends Error {}

/** Rejects with `HandoverRefused`. */
export async function announce(primary: Primary, facts: Announcement): Promise<void> {
  const { resolved, log, notifier, predecessor } = facts;
  const status = `serving with ${resolved.workers} workers`;
  if (predecessor === null) void notifier.ready(status);
  else {
    await mayTakeOver(primary, predecessor, facts);
    // Before the other one can be seen to end.
    await notifier.tookOver(status);
    // The manager may have taken seconds to read that.
    if (facts.leaves()) {
      await notifier.gaveBack(predecessor.pid, 'serving: its successor was told to end');
      throw new HandoverRefused('it was told to end before it took over: the running gateway stays');
    }
    const asked = predecessor.retire();
    log.info({ pid: predecessor.pid, asked }, 'took over');
  }
  notifier.watch((ms) => someWorkerAnswers(primary.supervisor.running(), ms));
  facts.onServing?.();
}

async function mayTakeOver(
  primary: Primary,
  predecessor: Predecessor,
  { resolved, replaces, leaves }: Announcement,
): Promise<void> {
  // Two successors at once: each sees the other one's listeners, and both give up.
  const obstacle = await predecessor.obstacle(resolved.entryPoints);
  if (obstacle !== null) throw new HandoverRefused(obstacle);
  if (leaves()) throw new HandoverRefused('it was told to end: the running gateway stays');
  const error = primary.diagnostics().find(({ severity }) => severity === 'error');
  if (error === undefined || replaces?.despiteErrors === true) return;
  throw new HandoverRefused(`the configuration has errors, the running gateway stays: ${formatLine(error)}`);
}
