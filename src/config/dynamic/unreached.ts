// Routers on a port that serves the other side only.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RouterSpec } from '../../model/snapshot.ts';
import type { ListenerSpec } from '../../model/tls.ts';

/** Names of routers in one message. */
const maxNamed = 5;

/** One for each entry point; a warning when one of the routers is reached nowhere else. */
export function unreached(listeners: readonly ListenerSpec[], routers: readonly RouterSpec[]): Diagnostic[] {
  const sides = new Map(listeners.map(({ entryPoint, side }) => [entryPoint, side]));
  const isServed = ({ tls }: RouterSpec, entryPoint: string): boolean => {
    const side = sides.get(entryPoint);
    return side === 'both' || (side === 'tls') === (tls !== null);
  };
  const reached = new Set<string>();
  for (const router of routers) {
    if (router.entryPoints.some((entryPoint) => isServed(router, entryPoint))) reached.add(original(router));
  }
  return listeners.flatMap(({ entryPoint, side }) => {
    const lost = routers.filter(
      (router) => router.entryPoints.includes(entryPoint) && !isServed(router, entryPoint),
    );
    if (lost.length === 0) return [];
    const named = lost.slice(0, maxNamed).map(original).join(', ');
    const more = lost.length > maxNamed ? ` and ${lost.length - maxNamed} more` : '';
    return [
      {
        severity: lost.every((router) => reached.has(original(router))) ? 'info' : 'warning',
        code: 'config.side',
        message: `entry point ${entryPoint} serves ${side === 'tls' ? 'TLS' : 'cleartext'} only: ${named}${more} cannot be reached there`,
        where: { source: 'static configuration', path: `entryPoints.${entryPoint}` },
        hint: 'name the `entryPoints` of these routers, or write `engine: node` for the entry point, which serves both',
      } as const,
    ];
  });
}

/** Of a copy made for one entry point, the router it was made of. */
function original({ name, entryPoints }: RouterSpec): string {
  const prefix = `${entryPoints[0]}-`;
  return entryPoints.length === 1 && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
