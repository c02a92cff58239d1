// Services of a Snapshot → what Exchanges end at.

import type { LoadBalancerSpec, Snapshot, TransportSpec } from '../../model/snapshot.ts';
import { buildInternalService } from '../services/internal.ts';
import { LoadBalancer } from '../services/load-balancer.ts';
import { Rotation } from '../services/rotation.ts';
import { Server } from '../services/server.ts';
import type { Service } from '../services/service.ts';
import { Http1Pool } from '../upstream/http1/pool.ts';
import type { BuildContext } from './context.ts';

/**
 * By qualified name; broken ones are left out. A service whose spec, transport and servers are the same as in
 * the Runtime before is taken over with its state; whatever else one is built of belongs into `inputs`.
 */
export function buildServices(snapshot: Snapshot, context: BuildContext): ReadonlyMap<string, Service> {
  const transports = new Map(snapshot.transports.map((spec) => [spec.name, keyed(spec)]));
  const services = new Map<string, Service>();
  for (const spec of snapshot.services) {
    if (spec.errors.length > 0) continue;
    if (spec.kind === 'internal') {
      const build = () => buildInternalService(spec, context.internal);
      services.set(spec.name, context.services.get(spec.name, [spec], build));
      continue;
    }
    const transport = transports.get(spec.serversTransport);
    if (transport === undefined || transport.spec.errors.length > 0) continue;
    const build = () => buildLoadBalancer(spec, transport, context);
    services.set(spec.name, context.services.get(spec.name, [spec, transport.spec], build));
  }
  return services;
}

/** A transport, and what tells its pools from those of others. */
interface KeyedTransport {
  readonly spec: TransportSpec;
  readonly key: string;
}

function keyed(spec: TransportSpec): KeyedTransport {
  return { spec, key: JSON.stringify(spec) };
}

function buildLoadBalancer(
  spec: LoadBalancerSpec,
  transport: KeyedTransport,
  context: BuildContext,
): Service {
  const servers = spec.servers
    .filter((server) => server.weight > 0)
    .map((server) => {
      const pool = context.kept.get(
        `pool:${server.url} ${transport.key}`,
        () => new Http1Pool(server.url, transport.spec),
      );
      return new Server(server, transport.spec, pool);
    });
  return new LoadBalancer(spec, servers, new Rotation(servers, Math.random()));
}
