// All containers of an engine as they are now, asking again only about those that may have changed.

import { maxInspects } from './client.ts';
import type { EngineClient } from './client.ts';
import type { Container } from './container.ts';
import type { Listed } from './inspect.ts';

export interface ContainerReader {
  /** `changed` are ids that are asked about in any case; null: all of them. */
  read(changed: ReadonlySet<string> | null): Promise<readonly Container[]>;
}

export function createReader(client: EngineClient): ContainerReader {
  // As many as the last list had, which is bounded by the client.
  let known = new Map<string, Known>();
  return {
    async read(changed) {
      const listed = (await client.list()).filter(isOfUse);
      const next = new Map<string, Known>();
      await eachOf(listed, async (entry) => {
        const before = known.get(entry.id);
        const isSame = before !== undefined && before.signature === entry.signature;
        if (isSame && changed !== null && !changed.has(entry.id)) {
          next.set(entry.id, before);
          return;
        }
        const container = await client.inspect(entry.id);
        if (container !== null) next.set(entry.id, { signature: entry.signature, container });
      });
      known = next;
      return [...next.values()].map(({ container }) => container);
    },
  };
}

interface Known {
  readonly signature: string;
  readonly container: Container;
}

/** Stopped containers count only when they ask for it, and there may be thousands. */
function isOfUse({ state, labels }: Listed): boolean {
  if (state === 'running' || state === '') return true;
  return Object.entries(labels).some(
    ([key, value]) => key.toLowerCase() === 'traefik.docker.allownonrunning' && value.trim() !== 'false',
  );
}

/** A bounded number at a time; rejects with the first failure, after which nothing new is begun. */
async function eachOf(entries: readonly Listed[], work: (entry: Listed) => Promise<void>): Promise<void> {
  let at = 0;
  const lane = async (): Promise<void> => {
    while (at < entries.length) {
      const entry = entries[at] as Listed;
      at += 1;
      try {
        // oxlint-disable-next-line no-await-in-loop -- a lane is a sequence
        await work(entry);
      } catch (error) {
        at = entries.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxInspects, entries.length) }, lane));
}
