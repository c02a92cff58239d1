// One service's tree → one of the service types, or the reason why it is none.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import { notExactlyOne } from './not-exactly-one.ts';
import type { ServiceConfig } from './provider-config.ts';
import { serviceSchema } from './schema.ts';

const decodeService = objectDecoder('services', serviceSchema);

const kinds = ['loadBalancer', 'weighted', 'highestRandomWeight', 'mirroring', 'failover'] as const;

export function loadService(name: string, node: Tree, diagnostics: Diagnostic[]): ServiceConfig {
  const decoded = decodeService(name, node);
  diagnostics.push(...decoded.diagnostics);
  const service = decoded.value;
  if (service === null) return broken;

  const written = kinds.filter((kind) => service[kind] !== undefined);
  if (written.length !== 1) {
    diagnostics.push(notExactlyOne('service', node, written, { none: `give it one of ${kinds.join(', ')}` }));
    return broken;
  }
  const { loadBalancer, weighted, highestRandomWeight, mirroring, failover } = service;
  const middlewares = service.middlewares === undefined ? {} : { middlewares: service.middlewares };
  if (loadBalancer !== undefined) return { kind: 'loadBalancer', loadBalancer, ...middlewares };
  if (weighted !== undefined) return { kind: 'weighted', weighted, ...middlewares };
  if (highestRandomWeight !== undefined)
    return { kind: 'highestRandomWeight', highestRandomWeight, ...middlewares };
  if (mirroring !== undefined) return { kind: 'mirroring', mirroring, ...middlewares };
  return failover === undefined ? broken : { kind: 'failover', failover, ...middlewares };
}

const broken: ServiceConfig = {
  kind: 'loadBalancer',
  loadBalancer: { servers: [], strategy: 'wrr', passHostHeader: true },
};
