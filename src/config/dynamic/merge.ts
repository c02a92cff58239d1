// All providers' objects under one roof: qualified names, and one owner for each.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type {
  DynamicConfig,
  MiddlewareConfig,
  ProviderConfig,
  ServiceConfig,
  Written,
} from './provider-config.ts';
import type { RouterConfig, TransportConfig } from './schema.ts';

export interface Entry<T> {
  /** Qualified. */
  readonly name: string;
  readonly provider: string;
  readonly written: Written<T>;
}

/** By qualified name, in the order of the names. */
export interface Merged {
  readonly routers: ReadonlyMap<string, Entry<RouterConfig>>;
  readonly middlewares: ReadonlyMap<string, Entry<MiddlewareConfig>>;
  readonly services: ReadonlyMap<string, Entry<ServiceConfig>>;
  readonly transports: ReadonlyMap<string, Entry<TransportConfig>>;
}

/** A reference as its referrer's provider means it. */
export function qualify(name: string, provider: string): string {
  return name.includes('@') ? name : `${name}@${provider}`;
}

/** Of two parts of one provider that define one name, the part whose source sorts first wins, with a warning. */
export function merge(sources: readonly ProviderConfig[]): { merged: Merged; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const parts = sources
    .flatMap(({ provider, parts: own }) => own.map((part) => ({ provider, part })))
    .sort((a, b) => compare(a.provider, b.provider) || comparePaths(a.part.source, b.part.source));

  const collect = <T>(what: string, pick: (part: DynamicConfig) => ReadonlyMap<string, Written<T>>) => {
    const found = new Map<string, Entry<T>>();
    for (const { provider, part } of parts) {
      for (const [name, written] of pick(part)) {
        const qualified = `${name}@${provider}`;
        const first = found.get(qualified);
        if (first === undefined) found.set(qualified, { name: qualified, provider, written });
        else diagnostics.push(duplicate(`${what} ${qualified}`, first.written, written));
      }
    }
    return new Map([...found].sort(([a], [b]) => compare(a, b)));
  };

  const merged = {
    routers: collect('router', (part) => part.routers),
    middlewares: collect('middleware', (part) => part.middlewares),
    services: collect('service', (part) => part.services),
    transports: collect('serversTransport', (part) => part.transports),
  };
  return { merged, diagnostics };
}

/** By code units: the same on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** In the order of a walk through sorted directories: all of `a/` comes before `a.yml`. */
export function comparePaths(a: string, b: string): number {
  return compare(a.replaceAll('/', '\0'), b.replaceAll('/', '\0'));
}

/** The first one of a name stays. */
export function duplicate(what: string, kept: Written<unknown>, left: Written<unknown>): Diagnostic {
  const line = kept.where.line === undefined ? '' : `:${kept.where.line}`;
  return {
    severity: 'warning',
    code: 'config.duplicate',
    message: `${what} is already defined in ${kept.where.source}${line}: this one is left out`,
    where: left.where,
    related: [kept.where],
  };
}
