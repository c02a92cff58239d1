// One service's tree → a load balancer, or the reason why it cannot be one.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import type { ServiceConfig } from './provider-config.ts';
import type { LoadBalancerConfig } from './schema.ts';
import { serviceSchema } from './schema.ts';
import { placeOf } from './tree-access.ts';

const decodeService = objectDecoder('services', serviceSchema);

const kinds = ['loadBalancer', 'weighted', 'highestRandomWeight', 'mirroring', 'failover'] as const;

export function loadService(name: string, node: Tree, diagnostics: Diagnostic[]): ServiceConfig {
  const decoded = decodeService(name, node);
  diagnostics.push(...decoded.diagnostics);
  const service = decoded.value;
  if (service === null) return broken;
  const refuse = (path: readonly string[], message: string) =>
    diagnostics.push({ severity: 'error', code: 'config.unsupported', message, where: placeOf(node, path) });

  const written = kinds.filter((kind) => service[kind] !== undefined);
  if (written.length !== 1) {
    diagnostics.push({
      severity: 'error',
      code: written.length === 0 ? 'config.no_type' : 'config.multi_types',
      message:
        written.length === 0
          ? 'the service has no type'
          : `cannot create service: multi-types service not supported, consider declaring ${written.join(' and ')} as two`,
      where: node.where,
    });
    return broken;
  }
  const kind = written[0] as (typeof kinds)[number];
  if (kind !== 'loadBalancer') refuse([kind], `services of the kind ${kind} are not supported`);
  if (service.middlewares !== undefined)
    refuse(['middlewares'], 'middlewares of a service are not supported');
  if (service.loadBalancer === undefined) return broken;
  refuseParts(service.loadBalancer, refuse);
  return { kind: 'loadBalancer', loadBalancer: service.loadBalancer };
}

const broken: ServiceConfig = {
  kind: 'loadBalancer',
  loadBalancer: { servers: [], strategy: 'wrr', passHostHeader: true },
};

type Refuse = (path: readonly string[], message: string) => void;

function refuseParts(balancer: LoadBalancerConfig, refuse: Refuse): void {
  const at = (...path: string[]) => ['loadBalancer', ...path];
  if (balancer.strategy.toLowerCase() !== 'wrr') {
    refuse(at('strategy'), `the strategy ${balancer.strategy.slice(0, 40)} is not supported, only wrr`);
  }
  if (balancer.passiveHealthCheck !== undefined) {
    refuse(at('passiveHealthCheck'), 'passiveHealthCheck is not supported');
  }
  if (balancer.sticky?.header !== undefined) refuse(at('sticky', 'header'), 'sticky.header is not supported');
  if (balancer.healthCheck?.mode === 'grpc') {
    refuse(at('healthCheck', 'mode'), 'health checks of the mode grpc are not supported');
  }
  if (balancer.servers.some(({ url }) => url.scheme === 'h2c')) {
    refuse(at('servers'), 'servers of the scheme h2c are not supported');
  }
}
