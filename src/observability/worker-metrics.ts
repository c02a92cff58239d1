// All that one worker counts: meters of requests by name, instruments of everything else, and messages of both.

import type { MetricsSettings, WorkerMetrics } from '../model/metrics.ts';
import { Cells, type ScopeNumber } from './cells.ts';
import type { Meter } from './meter.ts';
import { HeaderLabels } from './header-labels.ts';
import { type Instrument, Instruments } from './instruments.ts';
import { metricNames } from './names.ts';

/** Cells in one message: about 100 KB, which neither side notices. */
const cellsPerMessage = 1_024;

/** What one configuration has: services of routers by name, and names of services. */
export interface Places {
  readonly routers: readonly { readonly name: string; readonly service: string }[];
  readonly services: readonly { readonly name: string }[];
}

/** As large as the configurations that run; cells are bounded by `Cells`. */
export class WorkerMeters {
  readonly settings: MetricsSettings;
  readonly headerLabels: HeaderLabels;
  readonly cells: Cells;
  readonly instruments = new Instruments();
  /** By scope and name: as many as the configurations that run have. */
  readonly #meters = new Map<string, Meter>();
  /** Of services where a request took more than one attempt. */
  readonly #retries = new Map<Meter, Instrument>();
  /** Where they stay; null: nothing has changed. */
  #places: readonly Places[] | null = null;

  constructor(settings: MetricsSettings) {
    this.settings = settings;
    this.headerLabels = new HeaderLabels(settings.headerLabels);
    this.cells = new Cells(settings.buckets, this.headerLabels.texts);
  }

  /** Null where they are not counted; so are the others. */
  entryPoint(name: string): Meter | null {
    return this.settings.entryPoints ? this.#meter(0, name, '') : null;
  }

  router(name: string, service: string): Meter | null {
    return this.settings.routers ? this.#meter(1, name, service) : null;
  }

  service(name: string): Meter | null {
    return this.settings.services ? this.#meter(2, name, '') : null;
  }

  /** Of routers and services only these stay; the others end with the next message. */
  retain(places: readonly Places[]): void {
    this.#places = places;
  }

  /** Attempts at servers of a service beyond the first. */
  retried(service: Meter, attempts: number): void {
    service.retries += attempts;
    if (this.#retries.has(service)) return;
    const { instruments } = this;
    const shown = instruments.counter(metricNames.serviceRetries, [service.name], () => service.retries);
    this.#retries.set(service, shown);
  }

  /** One message; more are to follow when it says so. Null: nothing to tell. */
  take(): { readonly message: WorkerMetrics; readonly isLast: boolean } | null {
    const samples = this.instruments.take();
    const { newCells, cells, values } = this.cells.take(cellsPerMessage);
    const isLast = !this.cells.hasNews;
    if (isLast) this.#retire();
    const isSilent =
      cells.length + newCells.length + samples.samples.length + samples.newSamples.length === 0 &&
      samples.goneSamples.length === 0;
    if (isSilent) return null;
    const counted = { newCells, cells: Uint32Array.from(cells), cellValues: Float64Array.from(values) };
    return { message: { type: 'metrics', ...counted, ...samples }, isLast };
  }

  #meter(scope: ScopeNumber, name: string, service: string): Meter {
    const key = keyOf(scope, name, service);
    const known = this.#meters.get(key);
    if (known !== undefined) return known;
    const meter = this.cells.meter(scope, name, service);
    this.#meters.set(key, meter);
    return meter;
  }

  /** Right after everything was taken: cells are used again. */
  #retire(): void {
    if (this.#places === null) return;
    const lookups = this.#places.map(lookupOf);
    this.#places = null;
    for (const [key, meter] of this.#meters) {
      if (meter.scope === 0 || lookups.some((has) => has(meter))) continue;
      this.#meters.delete(key);
      meter.retire();
      this.#retries.get(meter)?.close();
      this.#retries.delete(meter);
    }
  }
}

function lookupOf({ routers, services }: Places): (meter: Meter) => boolean {
  const serviceOf = new Map(routers.map(({ name, service }) => [name, service]));
  const names = new Set(services.map(({ name }) => name));
  return ({ scope, name, service }) => (scope === 1 ? serviceOf.get(name) === service : names.has(name));
}

function keyOf(scope: ScopeNumber, name: string, service: string): string {
  return `${scope}\n${name}\n${service}`;
}
