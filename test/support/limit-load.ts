// Steady load on limited routes, with every answer kept: status, when it came, how long it took.

import { Agent, request } from 'node:http';

export interface Hit {
  /** 0: no answer came. */
  readonly status: number;
  /** `performance.now()` at the answer. */
  readonly at: number;
  /** Milliseconds. */
  readonly took: number;
}

export interface LimitLoad {
  readonly ports: readonly number[];
  readonly host: string;
  /** Connections to each port. */
  readonly connections: number;
  readonly ms: number;
  /** Milliseconds between an answer and the next request of its connection. */
  readonly pause: number;
}

/** Settles once the last answer is there. */
export async function hit({ ports, host, connections, ms, pause }: LimitLoad): Promise<Hit[]> {
  const hits: Hit[] = [];
  const end = performance.now() + ms;
  const drive = async (port: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < end) {
      const started = performance.now();
      const status = await once(port, agent, host);
      const at = performance.now();
      hits.push({ status, at, took: at - started });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    agent.destroy();
  };
  await Promise.all(ports.flatMap((port) => Array.from({ length: connections }, () => drive(port))));
  return hits;
}

export function withStatus(hits: readonly Hit[], status: number): number {
  return hits.filter((one) => one.status === status).length;
}

/** The most that passed beyond `burst + rate × window` in any window; `rate` per millisecond. */
export function worstExcess(times: readonly number[], rate: number, burst: number): number {
  // Of all windows that end at one answer the worst begins where the balance was lowest.
  let lowest = Infinity;
  let worst = -Infinity;
  for (const [i, at] of times.toSorted((a, b) => a - b).entries()) {
    lowest = Math.min(lowest, i - at * rate);
    worst = Math.max(worst, i + 1 - at * rate - lowest - burst);
  }
  return worst;
}

function once(port: number, agent: Agent, host: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, agent, headers: { host } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    asked.setTimeout(10_000, () => asked.destroy());
    asked.on('error', () => resolve(0));
    asked.end();
  });
}
