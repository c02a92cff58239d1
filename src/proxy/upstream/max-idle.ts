// How many idle connections to one server are kept.

import type { TransportSpec } from '../../model/snapshot.ts';

/** Connections of one worker; 0 keeps none. */
export function maxIdleConnections({ maxIdleConnsPerHost: most }: TransportSpec): number {
  // Go reads 0 as its default of 2, and so does Traefik.
  return most === 0 ? 2 : Math.max(0, most);
}
