// The table of sessions while nodes share one: what it does not know, or cannot be asked for, this node may know.

import type { SessionSpace, SessionTable } from './sessions.ts';

/** `far` is shared by all nodes; `near` by the workers of this one, and is told everything, too. */
export class NodeSessions implements SessionTable {
  readonly #far: SessionTable;
  readonly #near: SessionTable;

  constructor(far: SessionTable, near: SessionTable) {
    this.#far = far;
    this.#near = near;
  }

  async find(space: SessionSpace, key: string): Promise<string | null> {
    let failure: unknown = null;
    try {
      const target = await this.#far.find(space, key);
      if (target !== null) {
        // One message in ten seconds for a session in use: the other workers need it when Redis is away.
        void this.#near.learn(space, key, target);
        return target;
      }
    } catch (error) {
      failure = error;
    }
    const target = await this.#near.find(space, key).catch(() => null);
    if (target === null && failure !== null) throw failure;
    // It has lost what this node has seen in use: it came back empty, or was away when the session began.
    if (target !== null && failure === null) void this.#far.learn(space, key, target);
    return target;
  }

  async learn(space: SessionSpace, key: string, target: string): Promise<void> {
    await Promise.all([this.#far.learn(space, key, target), this.#near.learn(space, key, target)]);
  }

  forget(space: SessionSpace, key: string): void {
    this.#far.forget(space, key);
    this.#near.forget(space, key);
  }

  close(): void {
    this.#far.close();
    this.#near.close();
  }
}
