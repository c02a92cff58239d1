// Sums over all workers, kept in the primary: also over those that have ended, so that a total never goes back.

import type { WorkerMetrics } from '../model/metrics.ts';
import type { Scope } from './names.ts';
import { labelsText } from './metric-text.ts';
import { headerStep, labelsOfKey } from './request-key.ts';
import { SampleTotals, type SentSamples } from './sample-totals.ts';

/** Requests under one set of labels. */
export interface RequestTotal {
  readonly scope: Scope;
  /** Of entry point, router or service. */
  readonly name: string;
  /** Of a router; empty for the others. */
  readonly service: string;
  /** `all`: everything is known; `tls` and `headers`: only how many. */
  readonly kind: 'all' | 'tls' | 'headers';
  readonly labels: string;
  /** As a cell of `WorkerMetrics` has them. */
  readonly values: Float64Array;
  /** `performance.now()` of when it left the configuration; 0 while it is there. */
  goneAt: number;
}

/** What one worker's ids stand for. */
interface Source {
  readonly cells: (Counting | undefined)[];
  readonly samples: SentSamples;
}

interface Counting {
  readonly key: string;
  total: RequestTotal;
}

const scopes: readonly Scope[] = ['entrypoint', 'router', 'service'];
/** Milliseconds that what nobody scrapes is kept after it has left the configuration. */
const maxGone = 300_000;
/** Sets of labels over all requests, as a worker has cells at most and some; what comes after is not counted. */
const maxRequestTotals = 150_000;

/** At most 150,000 sets of labels; what has left the configuration goes once it was scraped. */
export class Totals {
  readonly stride: number;
  /** In the order they came, at most `maxRequestTotals`. */
  readonly #requests = new Map<string, RequestTotal>();
  readonly samples = new SampleTotals();
  readonly #sources = new Map<object, Source>();
  /** Services of the routers of the configuration in force, and names of its services. */
  #routers: ReadonlyMap<string, string> = new Map();
  #services: ReadonlySet<string> = new Set();

  /** `buckets`: number of bounds of the histograms of requests. */
  constructor(buckets: number) {
    this.stride = 4 + buckets + 1;
  }

  /** `worker`: any object that stands for it. */
  receive(worker: object, message: WorkerMetrics): void {
    let source = this.#sources.get(worker);
    if (source === undefined) {
      source = { cells: [], samples: new Map() };
      this.#sources.set(worker, source);
    }
    this.#learnCells(source, message.newCells);
    this.#addCells(source, message);
    this.samples.receive(worker, source.samples, message);
  }

  /** What it counted stays; what it only stood at goes with it. */
  ended(worker: object): void {
    const source = this.#sources.get(worker);
    if (source === undefined) return;
    this.#sources.delete(worker);
    this.samples.ended(worker, source.samples);
  }

  requests(): RequestTotal[] {
    return [...this.#requests.values()];
  }

  /** A configuration is in force: what it does not have is on its way out. */
  configured(
    routers: readonly { readonly name: string; readonly service: string }[],
    services: readonly { readonly name: string }[],
  ): void {
    this.#routers = new Map(routers.map(({ name, service }) => [name, service]));
    this.#services = new Set(services.map(({ name }) => name));
    const now = performance.now();
    for (const [key, total] of this.#requests) {
      if (this.#isConfigured(total)) total.goneAt = 0;
      else if (total.goneAt === 0) total.goneAt = now;
      else if (now - total.goneAt > maxGone) this.#requests.delete(key);
    }
  }

  /** After a scrape that showed them once more. `since`: when it began. */
  dropGone(since: number): void {
    for (const [key, { goneAt }] of this.#requests) {
      if (goneAt !== 0 && goneAt < since) this.#requests.delete(key);
    }
  }

  #learnCells(source: Source, news: WorkerMetrics['newCells']): void {
    for (let i = 0; i < news.length; i += 6) {
      const [id, scope, name, service, key, text] = news.slice(i, i + 6) as [
        number,
        number,
        string,
        string,
        number,
        string,
      ];
      // Numbers of TLS terms and of header labels are the worker's own: the text says what they are.
      const own = key < 0 ? 'tls' : key % headerStep;
      const full = `${scope}\n${name}\n${service}\n${own}\n${text}`;
      const total =
        this.#requests.get(full) ?? this.#total(scopes[scope] as Scope, name, service, { key, text });
      source.cells[id] = { key: full, total };
    }
  }

  #total(
    scope: Scope,
    name: string,
    service: string,
    { key, text }: { key: number; text: string },
  ): RequestTotal {
    const own = scope === 'router' ? ['router', 'service'] : [scope];
    const values = scope === 'router' ? [name, service] : [name];
    const kind = key < 0 ? 'tls' : key < headerStep ? 'all' : 'headers';
    const base = kind === 'tls' ? labelsText(own, values) : requestLabels(key, own, values);
    const labels = text === '' ? base : `${base},${text}`;
    return { scope, name, service, kind, labels, values: new Float64Array(this.stride), goneAt: 0 };
  }

  #addCells({ cells }: Source, message: WorkerMetrics): void {
    for (let i = 0; i < message.cells.length; i++) {
      const counting = cells[message.cells[i] as number];
      const total = counting === undefined ? null : this.#known(counting);
      if (total === null) continue;
      const from = i * this.stride;
      for (let j = 0; j < this.stride; j++) total.values[j]! += message.cellValues[from + j] as number;
    }
  }

  /** One that was dropped goes on where it was, for as long as some worker counts it. */
  #known(counting: Counting): RequestTotal | null {
    const known = this.#requests.get(counting.key);
    if (known !== undefined) {
      counting.total = known;
      return known;
    }
    if (this.#requests.size >= maxRequestTotals) return null;
    const { total } = counting;
    total.goneAt = this.#isConfigured(total) ? 0 : performance.now();
    this.#requests.set(counting.key, total);
    return total;
  }

  #isConfigured({ scope, name, service }: RequestTotal): boolean {
    if (scope === 'entrypoint') return true;
    return scope === 'router' ? this.#routers.get(name) === service : this.#services.has(name);
  }
}

function requestLabels(key: number, own: readonly string[], values: readonly string[]): string {
  const { code, method, protocol } = labelsOfKey(key);
  // In the alphabet's order, as Prometheus' own clients write them.
  const before = own[0] === 'entrypoint' ? own : [];
  const after = own[0] === 'entrypoint' ? [] : own;
  return labelsText(
    ['code', ...before, 'method', 'protocol', ...after],
    [code, ...(before.length > 0 ? values : []), method, protocol, ...(after.length > 0 ? values : [])],
  );
}
