// What events said about containers, laid over what was last read: a server leaves before the next look.

import type { Container } from './container.ts';
import type { EngineEvent } from './events.ts';

export interface Overlay {
  /** True: some container that was read now looks different. */
  mark(event: EngineEvent): boolean;
  /** Where the marks stand as a look begins: `settle` wants it back when the look has ended. */
  begin(): number;
  /** What was read replaces all marks made before the look began, except of those still about to leave. */
  settle(containers: readonly Container[], begun: number): void;
  /** Milliseconds until the first of those about to leave may be back; null: there is none. */
  nextBack(): number | null;
  /** What was read, as the marks have it. */
  containers(): readonly Container[];
}

/** Milliseconds a container that was told to stop stays out while it still runs: an engine's default is 10 s. */
export const leaveTime = 30_000;
/** Marks kept; beyond that the oldest is dropped, and the next look puts it right. */
const maxMarks = 10_000;

/** `staysOut`: milliseconds, as `leaveTime`. */
export function createOverlay(
  now: () => number = () => performance.now(),
  staysOut: number = leaveTime,
): Overlay {
  const marks = new Map<string, Mark>();
  let read: readonly Container[] = [];
  let count = 0;

  const settleOne = (id: string, mark: Mark, begun: number): void => {
    const isLeaving = mark.kind === 'leaving' && now() - mark.time < staysOut;
    if (mark.count <= begun && !isLeaving) marks.delete(id);
  };
  return {
    mark({ kind, container }) {
      if (kind === 'garbage' || kind === 'changed') return false;
      const before = marks.get(container);
      count += 1;
      // It may have another address now, so the look that follows brings it back, not this event.
      if (kind === 'started') {
        if (before !== undefined) marks.set(container, { kind: 'gone', count, time: now() });
        return false;
      }
      marks.delete(container);
      const time = kind === 'leaving' && before?.kind === 'leaving' ? before.time : now();
      marks.set(container, { kind, count, time });
      const oldest = marks.size > maxMarks ? marks.keys().next().value : undefined;
      if (oldest !== undefined) marks.delete(oldest);
      return before === undefined && read.some(({ id }) => id === container);
    },
    begin: () => count,
    settle(containers, begun) {
      read = containers;
      for (const [id, mark] of marks) settleOne(id, mark, begun);
    },
    nextBack() {
      let next: number | null = null;
      for (const { kind, time } of marks.values())
        if (kind === 'leaving') next = Math.min(next ?? Infinity, time + staysOut - now());
      return next;
    },
    containers: () => (marks.size === 0 ? read : read.map((one) => marked(one, marks.get(one.id)))),
  };
}

interface Mark {
  readonly kind: 'gone' | 'leaving' | 'sick';
  readonly count: number;
  readonly time: number;
}

function marked(container: Container, mark: Mark | undefined): Container {
  if (mark === undefined) return container;
  return mark.kind === 'sick'
    ? { ...container, health: 'unhealthy' }
    : { ...container, state: container.state === 'running' ? 'exited' : container.state };
}
