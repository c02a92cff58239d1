// A load balancer's spec → its servers, their pools, and what picks among them.

import type { LoadBalancerSpec, TransportSpec } from '../../model/snapshot.ts';
import { HighestRandomWeight } from '../services/highest-random-weight.ts';
import { LeastTime, TwoChoices } from '../services/least-loaded.ts';
import { LoadBalancer } from '../services/load-balancer.ts';
import type { Picker } from '../services/picker.ts';
import { Rotation } from '../services/rotation.ts';
import { Server } from '../services/server.ts';
import { ServerStats } from '../services/server-stats.ts';
import type { Service } from '../services/service.ts';
import { createServerPool } from '../upstream/create-pool.ts';
import { meterPool } from '../upstream/pool-figures.ts';
import type { BuildContext } from './context.ts';

/** A transport, and what tells its pools from those of others. */
export interface KeyedTransport {
  readonly spec: TransportSpec;
  readonly key: string;
}

export function keyed(spec: TransportSpec): KeyedTransport {
  return { spec, key: JSON.stringify(spec) };
}

export function buildLoadBalancer(
  spec: LoadBalancerSpec,
  transport: KeyedTransport,
  context: BuildContext,
): Service {
  const servers = spec.servers
    .filter((server) => server.weight > 0)
    .map((server) => {
      const key = `pool:${server.url} ${transport.key}`;
      const pool = context.kept.get(key, () => createServerPool(server.url, transport.spec));
      const meters = context.meters ?? null;
      const { figures } = pool;
      if (meters !== null && figures !== undefined)
        context.kept.get(`metrics ${key}`, () => meterPool(server.url, figures, meters.instruments));
      const built = new Server(server, transport.spec, pool);
      built.meter = context.meters?.service(spec.name) ?? null;
      return built;
    });
  return new LoadBalancer(spec, servers, pickerFor(spec, servers, context), context.sessions ?? null);
}

function pickerFor(
  spec: LoadBalancerSpec,
  servers: readonly Server[],
  context: BuildContext,
): Picker<Server> {
  const { strategy } = spec;
  const passive = spec.passiveHealthCheck ?? null;
  const isMeasured = strategy === 'p2c' || strategy === 'leasttime';
  if (isMeasured || passive !== null) {
    for (const server of servers) {
      const failing = (): void => context.serverFails?.(spec.name, server.url);
      server.watch = new ServerStats({ passive, timed: strategy === 'leasttime', failing });
    }
  }
  if (strategy === 'hrw') return new HighestRandomWeight(servers);
  if (!isMeasured) return new Rotation(servers, Math.random());
  const measured = servers.map((server) => ({ server, stats: server.watch as ServerStats }));
  return strategy === 'p2c' ? new TwoChoices(measured) : new LeastTime(measured);
}
