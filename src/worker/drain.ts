// The end of a worker: once, in good order, whoever asks for it.

import type { Gateway } from '../proxy/gateway.ts';
import type { Report } from './report.ts';

export interface Drain {
  /** Stops accepting, lets what runs finish within `deadline` milliseconds, then ends the process. */
  begin(deadline: number): void;
}

/**
 * A connection that was accepted a moment ago has not been read yet, and one kept alive has to hear
 * `Connection: close` once: without this pause both would be reset. Milliseconds.
 */
const linger = 250;
/** How long the last log lines may take, milliseconds. */
const closeTimeout = 1_000;

/** `last`: what is to be told once nothing runs any more. */
export function createDrain(
  gateway: () => Gateway | null,
  report: Report,
  last: () => void = () => {},
): Drain {
  let begun = false;
  return {
    begin(deadline) {
      if (begun) return;
      begun = true;
      // Right after a poll the accept queue is as good as empty; what waits in it at the close is reset.
      setImmediate(() =>
        setImmediate(
          () =>
            void end(gateway(), deadline, () => {
              last();
              report({ type: 'drained' });
            }),
        ),
      );
    },
  };
}

async function end(gateway: Gateway | null, deadline: number, drained: () => void): Promise<void> {
  let code = 0;
  try {
    if (gateway !== null) {
      const started = performance.now();
      await gateway.drain(deadline);
      await sleep(Math.min(linger, deadline));
      await gateway.drain(Math.max(0, deadline - (performance.now() - started)));
      await Promise.race([gateway.close(), sleep(closeTimeout)]);
    }
  } catch (error) {
    process.stderr.write(`worker ${process.pid}: draining failed: ${stackOf(error)}\n`);
    code = 1;
  }
  drained();
  // Lets the last message leave; without a channel there is nothing to wait for.
  if (process.connected) process.disconnect();
  process.exit(code);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
