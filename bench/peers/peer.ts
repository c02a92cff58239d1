// What the bench asks of a proxy it compares: to write a site in its own words.

import type { Program } from '../processes.ts';
import type { Backends, Site } from '../site.ts';

export interface Peer {
  readonly name: string;
  /** What must be on the PATH; null for our own. */
  readonly command: string | null;
  /** Arguments that make it print its version. */
  readonly version: readonly string[];
  /** Compiles while it runs: it is measured after a longer warm-up. */
  readonly compiles?: boolean;
  plan(site: Site, place: Place): Plan | Unable;
}

export interface Place {
  /** The peer's own. */
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;
  readonly backends: Backends;
  /** Workers, threads or GOMAXPROCS. */
  readonly cores: number;
}

export interface Plan {
  /** Where a peer does it in a way worth naming: `nginx auth_request`. */
  readonly label: string;
  readonly files: Readonly<Record<string, string>>;
  readonly program: Program;
  /** Makes the process take up files that were written anew. */
  reload(pid: number): Promise<void> | void;
}

export interface Unable {
  readonly unable: string;
}

export function hasGuard(site: Site, guard: 'asked' | 'cached'): boolean {
  return site.routes.some((route) => route.guard === guard);
}

export function isLimited(site: Site): boolean {
  return site.routes.some((route) => route.isLimited);
}

export function isSticky(site: Site): boolean {
  return site.routes.some((route) => route.to === 'sticky');
}
