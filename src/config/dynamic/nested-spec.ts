// A service made of others, as it was written → its spec, references qualified.

import type { NestedServiceSpec } from '../../model/snapshot.ts';
import { qualify } from './merge.ts';
import type { NestedServiceConfig } from './provider-config.ts';
import { type Warn, stickyCookie, stickyHeader } from './sticky-spec.ts';

interface Owner {
  readonly name: string;
  readonly provider: string;
  readonly warn: Warn;
}

type Common = 'name' | 'provider' | 'errors' | 'middlewares';
type OwnParts<T> = T extends NestedServiceSpec ? Omit<T, Common> : never;

export function nestedSpec(config: NestedServiceConfig, owner: Owner): OwnParts<NestedServiceSpec> {
  const named = (name: string): string => qualify(name, owner.provider);
  const child = ({ name, weight }: { name: string; weight: number }) => ({
    name: named(name),
    written: name,
    weight,
  });
  switch (config.kind) {
    case 'weighted': {
      const { services, sticky, healthCheck } = config.weighted;
      return {
        kind: config.kind,
        children: services.map(child),
        sticky: stickyCookie(owner.name, sticky, owner.warn),
        ...stickyHeader(sticky),
        followsHealth: healthCheck !== undefined,
      };
    }
    case 'highestRandomWeight': {
      const { services, healthCheck } = config.highestRandomWeight;
      return { kind: config.kind, children: services.map(child), followsHealth: healthCheck !== undefined };
    }
    case 'mirroring': {
      const { service, mirrorBody, maxBodySize, mirrors, healthCheck } = config.mirroring;
      return {
        kind: config.kind,
        service: named(service),
        mirrorBody,
        maxBodySize,
        mirrors: mirrors.map(({ name, percent }) => ({ name: named(name), percent })),
        followsHealth: healthCheck !== undefined,
      };
    }
    case 'failover': {
      const { service, fallback, healthCheck, errors } = config.failover;
      return {
        kind: config.kind,
        service: named(service),
        fallback: named(fallback),
        followsHealth: healthCheck !== undefined,
        onErrors: errors ?? null,
      };
    }
  }
}
