// A reload under load: how long until the new configuration serves, and what went wrong meanwhile.

import { pause, statusOf } from '../processes.ts';
import type { Load, Subject } from '../scenario.ts';
import type { Site } from '../site.ts';
import { openConnection } from './keep-alive.ts';
import { Latencies } from './latencies.ts';

const clients = 16;
const clientPauseMs = 2;
const reloadDeadlineMs = 60_000;
/** New connections in a row that must find the new route: an old worker may still accept. */
const steadyAnswers = 5;

/** `path` is a plain route of both sites, `added` one that only the new site has. */
export function reloadUnderLoad(next: Site, path: string, added: string): Load {
  return async (subject, { seconds }) => {
    const tally = { isOver: false, failures: 0, latencies: new Latencies() };
    const startedAt = performance.now();
    const running = Array.from({ length: clients }, () => askOn(subject.port, path, tally));
    try {
      await pause((seconds * 1_000) / 2);
      const reloadMs = await reload(subject, next, added);
      await pause((seconds * 1_000) / 2);
      tally.isOver = true;
      await Promise.all(running);
      const { failures: errors, latencies } = tally;
      const taken = (performance.now() - startedAt) / 1_000;
      const figures = { 'reload ms': reloadMs, failures: errors };
      return {
        driver: 'own',
        isPaced: true,
        requests: latencies.count,
        seconds: taken,
        errors,
        figures,
        ...latencies.quantiles(),
      };
    } finally {
      tally.isOver = true;
    }
  };
}

async function reload(subject: Subject, next: Site, added: string): Promise<number> {
  const startedAt = performance.now();
  await subject.reload(next);
  let inRow = 0;
  let servedAt = 0;
  while (performance.now() - startedAt < reloadDeadlineMs) {
    const isServed = (await statusOf({ port: subject.port, path: added, host: 'bench' })) === 200;
    if (isServed && inRow === 0) servedAt = performance.now();
    inRow = isServed ? inRow + 1 : 0;
    if (inRow === steadyAnswers) return servedAt - startedAt;
    await pause(2);
  }
  throw new Error('the new configuration was not served within a minute');
}

interface Tally {
  isOver: boolean;
  failures: number;
  readonly latencies: Latencies;
}

async function askOn(port: number, path: string, tally: Tally): Promise<void> {
  while (!tally.isOver) {
    try {
      const connection = await openConnection(port, path);
      try {
        while (!tally.isOver && connection.isOpen) {
          tally.latencies.add(await connection.ask());
          await pause(clientPauseMs);
        }
      } finally {
        connection.close();
      }
    } catch {
      tally.failures += 1;
      await pause(clientPauseMs);
    }
  }
}
