// The sessions of all workers, held for them: they survive reloads and workers, and end with the primary. With Redis
// they are held there, too, and the primary passes on which of them other nodes have moved.

import type { SessionCalls, SessionName, ToWorker } from '../model/ipc.ts';
import type { RedisConnection } from '../state/redis/connect.ts';
import { MemorySessions } from '../state/session-table.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface HeldSessions {
  answer(from: WorkerHandle, calls: SessionCalls): void;
  /** Moved or ended on another node. */
  forget(session: SessionName): void;
  /** Sessions that are held. */
  readonly size: number;
  close(): void;
}

export function createHeldSessions(workers: () => readonly WorkerHandle[]): HeldSessions {
  const table = new MemorySessions();
  return {
    get size() {
      return table.size;
    },
    answer(from, { id, finds, learns, forgets }) {
      const moved: SessionName[] = [];
      for (const { space, key, ttl, target } of learns)
        if (table.learn(space, key, { ttl, target })) moved.push({ space, key });
      for (const { space, key } of forgets) if (table.forget(space, key)) moved.push({ space, key });
      if (moved.length > 0)
        for (const other of workers())
          if (other !== from) other.send({ type: 'sessions-moved', sessions: moved });
      if (id === 0) return;
      const targets = finds.map(({ space, key, ttl }) => table.find(space, key, ttl));
      from.send({ type: 'session-answer', id, targets });
    },
    forget: ({ space, key }) => void table.forget(space, key),
    close: () => table.close(),
  };
}

/** `tell` sends to every worker; what this node holds of them itself is forgotten. */
export function relayMovedSessions(
  connection: RedisConnection,
  held: HeldSessions,
  tell: (message: ToWorker) => void,
): void {
  connection.subscribe(`${connection.keyPrefix}:sessions`, {
    message(text) {
      const [, space, key] = /^([0-9a-f]{16}) ([\w-]{1,64})$/.exec(text) ?? [];
      if (space === undefined || key === undefined) return;
      held.forget({ space, key });
      tell({ type: 'sessions-moved', sessions: [{ space, key }] });
    },
    // What was missed, workers notice when they ask again, within seconds.
    resumed() {},
  });
}
