// What a provider hands over: objects as they were written and decoded, not yet referring to each other.

import type { Place } from '../../model/diagnostic.ts';
import type { InternalServiceSpec } from '../../model/snapshot.ts';
import type {
  CertificateConfig,
  FailoverConfig,
  HighestRandomWeightConfig,
  LoadBalancerConfig,
  MirroringConfig,
  OptionsConfig,
  RouterConfig,
  StoreConfig,
  TransportConfig,
  WeightedConfig,
} from './schema.ts';

/** All of one provider, whole: it replaces what the provider gave before. */
export interface ProviderConfig {
  /** The part after `@` in qualified names: `file`, `docker`, `internal`. */
  readonly provider: string;
  /** One per file (or container); order has no meaning. */
  readonly parts: readonly DynamicConfig[];
}

/** The objects of one source, by their unqualified names. */
export interface DynamicConfig {
  /** A file's path or a container's name; decides who wins when two parts define one name. */
  readonly source: string;
  readonly routers: ReadonlyMap<string, Written<RouterConfig>>;
  readonly middlewares: ReadonlyMap<string, Written<MiddlewareConfig>>;
  readonly services: ReadonlyMap<string, Written<ServiceConfig>>;
  readonly transports: ReadonlyMap<string, Written<TransportConfig>>;
  readonly tls: TlsConfig;
}

/** `tls` of a file; PEM texts once a provider has read the files. */
export interface TlsConfig {
  readonly certificates: readonly Written<CertificateConfig>[];
  readonly stores: ReadonlyMap<string, Written<StoreConfig>>;
  readonly options: ReadonlyMap<string, Written<OptionsConfig>>;
}

export interface Written<T> {
  /** Of a broken object: what could still be read, so that it keeps its place and answers 503. */
  readonly value: T;
  readonly where: Place;
  /** Where the values of its own keys stand, by key in lower case; and `loadbalancer.serverstransport`. */
  readonly keys?: ReadonlyMap<string, Place>;
  /** Not empty: the object is broken. */
  readonly errors: readonly string[];
}

export interface MiddlewareConfig {
  /** As Traefik spells it; empty when it could not be told. */
  readonly kind: string;
  /** What the kind's schema made of it; null when broken. */
  readonly options: unknown;
}

/** `middlewares` as they are written; absent: none. */
export type ServiceConfig =
  | {
      readonly kind: 'loadBalancer';
      readonly loadBalancer: LoadBalancerConfig;
      readonly middlewares?: readonly string[];
    }
  | NestedServiceConfig
  | { readonly kind: 'internal'; readonly target: InternalServiceSpec['target'] };

export type NestedServiceConfig = { readonly middlewares?: readonly string[] } & (
  | { readonly kind: 'weighted'; readonly weighted: WeightedConfig }
  | { readonly kind: 'highestRandomWeight'; readonly highestRandomWeight: HighestRandomWeightConfig }
  | { readonly kind: 'mirroring'; readonly mirroring: MirroringConfig }
  | { readonly kind: 'failover'; readonly failover: FailoverConfig }
);

export const emptyTls: TlsConfig = { certificates: [], stores: new Map(), options: new Map() };

export function emptyConfig(source: string): DynamicConfig {
  return {
    source,
    routers: new Map(),
    middlewares: new Map(),
    services: new Map(),
    transports: new Map(),
    tls: emptyTls,
  };
}
