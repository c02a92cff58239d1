// Whether a service has servers of HTTP/2 in cleartext, itself or through services it is made of.

import type { ServiceSpec } from '../../model/snapshot.ts';

/** `name` is qualified. Services never contain themselves. */
export function leadsToH2c(name: string, services: ReadonlyMap<string, ServiceSpec>): boolean {
  const service = services.get(name);
  if (service === undefined) return false;
  if (service.kind === 'loadBalancer') return service.servers.some(({ url }) => url.startsWith('h2c:'));
  return childrenOf(service).some((child) => leadsToH2c(child, services));
}

function childrenOf(service: ServiceSpec): readonly string[] {
  if (service.kind === 'weighted' || service.kind === 'highestRandomWeight')
    return service.children.map((child) => child.name);
  if (service.kind === 'mirroring') return [service.service];
  return service.kind === 'failover' ? [service.service, service.fallback] : [];
}
