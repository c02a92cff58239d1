// The end of a worker: once, in good order, whoever asks for it.

import type { Gateway } from '../proxy/gateway.ts';
import type { Report } from './report.ts';

export interface Drain {
  /** Stops accepting, lets what runs finish within `deadline` milliseconds, then ends the process. */
  begin(deadline: number): void;
}

/** How long the last log lines may take, milliseconds. */
const closeTimeout = 1_000;

export function createDrain(gateway: () => Gateway | null, report: Report): Drain {
  let begun = false;
  return {
    begin(deadline) {
      if (begun) return;
      begun = true;
      void end(gateway(), deadline, report);
    },
  };
}

async function end(gateway: Gateway | null, deadline: number, report: Report): Promise<void> {
  let code = 0;
  try {
    await gateway?.drain(deadline);
    await Promise.race([gateway?.close(), new Promise((resolve) => setTimeout(resolve, closeTimeout))]);
  } catch (error) {
    process.stderr.write(`worker ${process.pid}: draining failed: ${stackOf(error)}\n`);
    code = 1;
  }
  report({ type: 'drained' });
  // Lets the last message leave; without a channel there is nothing to wait for.
  if (process.connected) process.disconnect();
  process.exit(code);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
