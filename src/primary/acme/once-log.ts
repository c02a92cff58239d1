// Says the same thing once, however often it happens.

import type { Log, LogFields } from '../../observability/log.ts';

/** Sentences remembered; beyond that they may come again. */
const maxRemembered = 1000;

export interface OnceLog {
  error(fields: LogFields, message: string): void;
  /** What is said from now on is news. */
  forget(): void;
}

export function createOnceLog(log: Log): OnceLog {
  const said = new Set<string>();
  return {
    error(fields, message) {
      const text = `${message} ${JSON.stringify(fields)}`;
      if (said.has(text)) return;
      if (said.size >= maxRemembered) said.clear();
      said.add(text);
      log.error(fields, message);
    },
    forget: () => said.clear(),
  };
}
