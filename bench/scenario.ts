// A scenario: what the proxies are set up for, and the load that is put on them.

import type { Backends, Site } from './site.ts';

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly cases: readonly Case[];
}

export interface Case {
  /** Empty where a scenario has only one. */
  readonly name: string;
  readonly site: Site;
  readonly load: Load;
  /** Only these peers, by name; all unless said. */
  readonly peers?: readonly string[];
  /** Every round gets a new process; there is no warm-up then. */
  readonly fresh?: boolean;
  /** Body bytes per request, for a figure of bytes per second of CPU time. */
  readonly bytes?: number;
  /** Open files this process needs at once. */
  readonly files?: number;
}

/** One round. Throws when it cannot be measured at all. */
export type Load = (subject: Subject, round: RoundOptions) => Promise<Sample>;

/** A proxy that runs. */
export interface Subject {
  readonly port: number;
  readonly backends: Backends;
  readonly bootMs: number;
  /** Its whole process tree, as it is now. */
  pids(): readonly number[];
  /** Gives it another site, as its users would. */
  reload(site: Site): Promise<void>;
}

export interface RoundOptions {
  readonly seconds: number;
  readonly driver: DriverChoice;
  /** For what a driver needs on disk. */
  readonly folder: string;
}

export type DriverChoice = 'auto' | 'wrk' | 'autocannon';

export interface Sample {
  readonly driver: string;
  /** Requests, messages: whatever is counted. */
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds; null where nothing of the kind was measured. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  /** Answers other than 2xx and 3xx, lost connections, timeouts. */
  readonly errors: number;
  /** The driver waits between requests: their rate says nothing of the proxy. */
  readonly isPaced?: boolean;
  /** What else was found, by name with unit: `reload ms`. */
  readonly figures?: Readonly<Record<string, number>>;
}

export function defineScenario(scenario: Scenario): Scenario {
  return scenario;
}
