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
  /** What a peer that cannot do all of `site` does in its place; it says so in its label. Null: the site itself. */
  siteFor?(peer: string): { readonly site: Site; readonly remark: string } | null;
  readonly load: Load;
  /** Found on ours before the rounds; a share of its rate is what `load` gets as `round.rate`. */
  readonly saturation?: { readonly load: Load; readonly share: number };
  /** Only these peers, by name; all unless said. */
  readonly peers?: readonly string[];
  /** Every round gets a new process; there is no warm-up then. */
  readonly fresh?: boolean;
  /** All peers at once, for one long round: for what is told by memory and not by speed. */
  readonly together?: boolean;
  /** A second is enough for a round: bulk, and what is told by memory or by a moment. */
  readonly brief?: boolean;
  /** False where a round does not last as long as was said. */
  readonly loads?: boolean;
  /** A round takes about so much longer than its `seconds`: what is opened first, what is waited for. */
  readonly extraSeconds?: number;
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
  /** Requests per second to be sent, where a case found a saturation; else null. */
  readonly rate: number | null;
  /** How long a round takes that looks for leaks. */
  readonly minutes: number;
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
  /** MiB held at each look, where that was the question. */
  readonly rss?: readonly number[];
}

export function defineScenario(scenario: Scenario): Scenario {
  return scenario;
}
