// All that containers say about each name, in the order in which they are heard.

import type { DynamicConfig, ServiceConfig, Written } from '../../config/dynamic/provider-config.ts';

export interface Part {
  readonly config: DynamicConfig;
  /** Its labels have errors: it gives only names that no part without errors gives. */
  readonly isWeak: boolean;
}

export interface Definition<T> {
  readonly part: number;
  readonly source: string;
  readonly written: Written<T>;
}

/** Never empty. */
export type Definitions<T> = readonly [Definition<T>, ...Definition<T>[]];

export function ownerOf<T>(definitions: Definitions<T>): number {
  return definitions[0].part;
}

export function collect<T>(
  parts: readonly Part[],
  pick: (config: DynamicConfig) => ReadonlyMap<string, Written<T>>,
): Map<string, Definitions<T>> {
  const found = new Map<string, [Definition<T>, ...Definition<T>[]]>();
  for (const weak of [false, true]) {
    const settled = new Set(found.keys());
    for (const [part, { config, isWeak }] of parts.entries()) {
      if (isWeak !== weak) continue;
      for (const [name, written] of pick(config)) {
        if (settled.has(name)) continue;
        const definition = { part, source: config.source, written };
        const others = found.get(name);
        if (others === undefined) found.set(name, [definition]);
        else others.push(definition);
      }
    }
  }
  return found;
}

/** All but the servers. */
export function optionsOf(value: ServiceConfig): unknown {
  return value.kind === 'loadBalancer' ? { ...value.loadBalancer, servers: [] } : value;
}
