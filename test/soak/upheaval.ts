// What happens to a soak, period by period: reloads, rolls, killed workers, restarts of servers and of Redis.

import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/gateway.ts';
import { connectionsOf } from '../support/load.ts';
import type { Happened, Ledger } from './ledger.ts';
import { type EventName, type NodeName, schedule, type Turn } from './plan.ts';
import type { Scene, SoakNode } from './scene.ts';

export interface UpheavalOptions {
  /** Milliseconds. */
  readonly period: number;
  /** Periods between two restarts of Redis. */
  readonly redisEvery: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** How long a server, and Redis, stays away. */
const away = { backend: 300, redis: 2_000 } as const;
const extraRouters = 20;

/** Settles when the signal is aborted. */
export async function upset(scene: Scene, ledger: Ledger, options: UpheavalOptions): Promise<void> {
  const begun = performance.now();
  for (let period = 0; ; period += 1) {
    for (const turn of schedule(options.redisEvery)) {
      if (period % turn.every !== turn.turn) continue;
      const due = begun + (period + turn.at) * options.period - performance.now();
      await wait(Math.max(0, due), null, { signal: options.signal }).catch(() => {});
      if (options.signal.aborted) return;
      const done = await happen(turn, period, scene).catch((error: unknown) => {
        ledger.mishaps.push(`${turn.event}: ${String(error).slice(0, 300)}`);
        options.say(`${turn.event} did not come to its end`);
        return [];
      });
      for (const one of done) {
        ledger.happened.push(one);
        options.say(`${one.event} of ${one.node ?? 'all'} took ${Math.round(one.ended - one.begun)} ms`);
      }
    }
  }
}

async function happen({ event }: Turn, period: number, scene: Scene): Promise<readonly Happened[]> {
  const [shaken] = scene.nodes;
  switch (event) {
    case 'reload': {
      const content = scene.dynamic(period % 2 === 0 ? extraRouters : 0);
      return await Promise.all(
        scene.nodes.map(({ name, gateway }) => timed(event, name, () => gateway.writeDynamic(content))),
      );
    }
    case 'roll':
      return [await timed(event, shaken.name, () => roll(shaken))];
    case 'kill':
      return [await kill(shaken)];
    case 'backend': {
      const backend = scene.backends.app[period % 2 === 0 ? 0 : 1];
      return [await timed(event, null, () => backend.restart(away.backend))];
    }
    case 'redis':
      return [
        await timed(event, null, async () => {
          await scene.redis.kill();
          await wait(away.redis);
          await scene.redis.restart();
        }),
      ];
    case 'purge':
      return [await timed(event, null, () => purge(scene.nodes[period % 2 === 0 ? 0 : 1]))];
  }
}

async function timed(
  event: EventName,
  node: NodeName | null,
  act: () => Promise<void>,
  victims: ReadonlySet<number> = new Set(),
): Promise<Happened> {
  const begun = performance.now();
  await act();
  return { event, node, begun, ended: performance.now(), victims };
}

async function roll({ gateway }: SoakNode): Promise<void> {
  const old = gateway.workerPids();
  gateway.signal('SIGUSR2');
  const isRolled = (): boolean => {
    const now = gateway.workerPids();
    return now.length === old.length && !now.some((pid) => old.includes(pid));
  };
  await eventually('all workers are replaced', isRolled, 90_000);
}

async function kill({ name, gateway }: SoakNode): Promise<Happened> {
  const [victim = 0] = gateway.workerPids();
  const ports = ['web', 'tls', 'h2'].map((door) => gateway.port(door));
  const victims = new Set(ports.flatMap((port) => [...connectionsOf(victim, port)]));
  let gone = 0;
  const act = async (): Promise<void> => {
    process.kill(victim, 'SIGKILL');
    await eventually('the worker is gone', () => isGone(victim), 30_000);
    gone = performance.now();
    const isReplaced = async (): Promise<boolean> => {
      const { workers } = await gateway.status().catch(() => ({ workers: [] }));
      return workers.filter((one) => one.state === 'running' && one.pid !== victim).length === 2;
    };
    await eventually('a new worker serves', isReplaced, 60_000);
  };
  return { ...(await timed('kill', name, act, victims)), gone };
}

/** Not before it is reaped: its first thread is a zombie while others still hold its sockets. */
function isGone(pid: number): boolean {
  return !existsSync(`/proc/${pid}`);
}

async function purge({ gateway }: SoakNode): Promise<void> {
  const response = await fetch(`${gateway.url('traefik')}/api/portcullis/auth-cache/purge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'header', name: 'X-User-Id', value: '3' }),
  });
  await response.body?.cancel();
  if (response.status >= 400) throw new Error(`a purge was answered ${response.status}`);
}
