// One server of a service, as the request path sees it.

import type { Meter } from '../../observability/meter.ts';
import type { Exchange } from '../exchange.ts';
import type { ServerSpec, TransportSpec } from '../../model/snapshot.ts';
import type { ServerPool } from '../upstream/server-pool.ts';
import type { Choice } from './picker.ts';

/** Told what becomes of the requests to one server; null on a service that has no use for it. */
export interface ServerWatch {
  began(): void;
  /** The answer's head came after that many milliseconds. */
  answered(status: number, ms: number): void;
  /** There is no answer, or no whole one. */
  failed(): void;
  /** Once for every `began`, last. */
  left(): void;
}

/** Where a request can turn when its server does not take it. */
export interface ServerSource {
  /** The Host header towards `server`. */
  hostFor(x: Exchange, server: Server): string;
  /** Another server that is up, or null. */
  another(x: Exchange, failed: Server): Server | null;
}

export class Server implements Choice {
  readonly url: string;
  /** Host and port, for the Host header without passHostHeader and for the log. */
  readonly authority: string;
  /** Prefixed to the request's path; empty unless the spec preserves its URL's path. */
  readonly path: string;
  readonly weight: number;
  readonly transport: TransportSpec;
  readonly pool: ServerPool;
  /** Healthy, as the primary last said, and not draining: it may get new sessions. */
  up: boolean;
  #isHealthy = true;
  readonly #alwaysDrains: boolean;
  #isDraining: boolean;
  watch: ServerWatch | null = null;
  /** Counts the requests of its service; null where services are not counted. */
  meter: Meter | null = null;

  constructor(spec: ServerSpec, transport: TransportSpec, pool: ServerPool) {
    this.url = spec.url;
    this.authority = new URL(spec.url).host;
    this.path = spec.path.endsWith('/') ? spec.path.slice(0, -1) : spec.path;
    this.weight = spec.weight;
    this.transport = transport;
    this.pool = pool;
    this.#alwaysDrains = spec.drain === true;
    this.#isDraining = this.#alwaysDrains;
    this.up = !this.#isDraining;
  }

  get key(): string {
    return this.url;
  }

  get keeps(): boolean {
    return this.up || (this.#isDraining && this.#isHealthy);
  }

  setHealth(isHealthy: boolean): void {
    this.#isHealthy = isHealthy;
    this.up = isHealthy && !this.#isDraining;
  }

  /** One that its configuration drains goes on draining. */
  setDraining(isDraining: boolean): void {
    this.#isDraining = isDraining || this.#alwaysDrains;
    this.up = this.#isHealthy && !this.#isDraining;
  }
}
