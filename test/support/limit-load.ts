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

/** When something was had: after `asked`, before `at`; milliseconds of one clock. */
export interface Had {
  readonly asked: number;
  readonly at: number;
}

/**
 * The most that certainly passed beyond `burst + rate × window` in any window; `rate` per millisecond. However late
 * this process hears of what happened, it is no more than what happened. At most some thousands.
 */
export function provenExcess(all: readonly Had[], rate: number, burst: number): number {
  const byEnd = all.toSorted((a, b) => a.at - b.at);
  let worst = -Infinity;
  for (const { asked: from } of all) {
    let inside = 0;
    for (const { asked, at } of byEnd) {
      if (asked < from) continue;
      inside += 1;
      worst = Math.max(worst, inside - (at - from) * rate - burst);
    }
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
