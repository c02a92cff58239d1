// Loaded into each process of the gateway under soak (`--import`): writes what only the process itself knows.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface ProbeFile {
  /** Bytes after a full collection. */
  readonly heap: number;
  readonly external: number;
  /** Open handles and running requests of libuv. */
  readonly resources: number;
  /** Milliseconds the loop was late at most, since the last file. */
  readonly late: number;
}

const folder = process.env['SOAK_PROBE'];
const every = Number(process.env['SOAK_PROBE_MS'] ?? 10_000);
if (folder !== undefined) start(folder);

function start(to: string): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const write = (): void => {
    const late = delay.max / 1e6;
    collect();
    const { heapUsed: heap, external } = process.memoryUsage();
    const file: ProbeFile = { heap, external, resources: process.getActiveResourcesInfo().length, late };
    writeFileSync(join(to, `${process.pid}.json`), JSON.stringify(file));
    delay.reset();
  };
  setInterval(write, every).unref();
}
