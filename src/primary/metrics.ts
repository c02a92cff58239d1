// What Prometheus reads, made by the primary: sums over workers, and what it knows itself.

import { promisify } from 'node:util';
import type { CertificateStatus } from '../model/acme.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { ApiAnswer } from '../model/ipc.ts';
import type { MetricsSettings, WorkerMetrics } from '../model/metrics.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CertificateSpec } from '../model/tls.ts';
import type { OwnMetrics } from '../observability/own-metrics.ts';
import { writeTotals } from '../observability/exposition.ts';
import { type Instrument, Instruments } from '../observability/instruments.ts';
import { watchLoop } from '../observability/loop-delay.ts';
import { Totals } from '../observability/totals.ts';
import { createServerStates, ownMetrics } from './metrics-own.ts';

export interface MetricsSources {
  readonly version: string;
  readonly snapshot: () => Snapshot;
  /** How many serve. */
  readonly workers: () => number;
  /** All there are, of files and by ACME. */
  readonly certificates: () => readonly CertificateSpec[];
  readonly acme: () => readonly CertificateStatus[];
  /** All that is wrong at present. */
  readonly diagnostics: () => readonly Diagnostic[];
  /** State by server URL; null for a service without a health check. */
  readonly serverStates: (service: string) => ReadonlyMap<string, boolean> | null;
  /** Sessions by header that are known here. */
  readonly sessions: () => number;
}

export interface PrimaryMetrics {
  /** `worker`: any object that stands for it. */
  received(worker: object, message: WorkerMetrics): void;
  /** A worker's process is over; `unasked`: it was not told to end. */
  workerEnded(worker: object, unasked: boolean): void;
  committed(snapshot: Snapshot): void;
  rejected(): void;
  /** The text, compressed by gzip and in base64; several at a time get the same one. */
  scrape(): Promise<ApiAnswer>;
  close(): void;
}

/** Counts of the primary itself. */
export interface OwnCounts {
  reloads: number;
  failures: number;
  restarts: number;
  /** Milliseconds since 1970; 0 before the first. */
  committedAt: number;
  isOk: boolean;
}

/** Bytes of packed text that the packer hands over at a time. */
const packedPiece = 64 * 1024;
/** Milliseconds after the end of a process in which what it had told may still arrive. */
const lateMessages = 1_000;

export function createMetrics(settings: MetricsSettings, sources: MetricsSources): PrimaryMetrics {
  return new Metrics(settings, sources);
}

class Metrics implements PrimaryMetrics {
  readonly #settings: MetricsSettings;
  readonly #sources: MetricsSources;
  readonly #totals: Totals;
  readonly #counts: OwnCounts = { reloads: 0, failures: 0, restarts: 0, committedAt: 0, isOk: true };
  readonly #instruments = new Instruments();
  readonly #loop: Instrument & { look(): void };
  readonly #timer: NodeJS.Timeout;
  #own: Promise<OwnMetrics> | null = null;
  #scraping: Promise<ApiAnswer> | null = null;

  constructor(settings: MetricsSettings, sources: MetricsSources) {
    this.#settings = settings;
    this.#sources = sources;
    this.#totals = new Totals(settings.buckets.length);
    this.#loop = watchLoop(this.#instruments, 'primary');
    this.#timer = setInterval(() => this.#loop.look(), 1_000).unref();
  }

  received(worker: object, message: WorkerMetrics): void {
    this.#totals.receive(worker, message);
  }

  workerEnded(worker: object, unasked: boolean): void {
    // Its last message may still be on its way.
    setTimeout(() => this.#totals.ended(worker), lateMessages).unref();
    if (unasked) this.#counts.restarts += 1;
  }

  committed(snapshot: Snapshot): void {
    this.#counts.reloads += 1;
    this.#counts.committedAt = Date.now();
    this.#counts.isOk = true;
    this.#totals.configured(snapshot.routers, snapshot.services);
  }

  rejected(): void {
    this.#counts.failures += 1;
    this.#counts.isOk = false;
  }

  scrape(): Promise<ApiAnswer> {
    this.#scraping ??= this.#make().finally(() => {
      this.#scraping = null;
    });
    return this.#scraping;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loop.close();
    void this.#own?.then((own) => own.close());
  }

  async #make(): Promise<ApiAnswer> {
    const since = performance.now();
    const { contentType, createOwnMetrics } = await import('../observability/own-metrics.ts');
    const metrics = ownMetrics(this.#sources, this.#counts);
    this.#own ??= Promise.resolve(createOwnMetrics(metrics));
    const own = await (await this.#own).text();
    const { buckets, headerLabels } = this.#settings;
    this.#totals.receive(this, { ...noCells, ...this.#instruments.take() });
    const packer = await createPacker();
    await packer.write(own);
    await createServerStates(this.#sources, (text) => packer.write(text));
    await writeTotals(this.#totals, { buckets, hasHeaderLabels: headerLabels.length > 0 }, (piece) =>
      packer.write(piece),
    );
    this.#totals.dropGone(since);
    const packed = await packer.end();
    const headers = ['Content-Type', contentType, 'Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'];
    return { status: 200, headers, body: packed.toString('base64'), encoding: 'base64' };
  }
}

const noCells = {
  type: 'metrics',
  newCells: [],
  cells: new Uint32Array(0),
  cellValues: new Float64Array(0),
} as const;

interface Packer {
  /** Settles once it is packed. */
  write(text: string | Uint8Array): Promise<void>;
  end(): Promise<Buffer>;
}

/** On another thread: the fastest level takes a twentieth of the size already, such text repeats itself. */
async function createPacker(): Promise<Packer> {
  const { createGzip } = await import('node:zlib');
  const gzip = createGzip({ level: 1, chunkSize: packedPiece });
  const pieces: Buffer[] = [];
  gzip.on('data', (piece: Buffer) => pieces.push(piece));
  const done = new Promise<void>((resolve, reject) => gzip.once('end', resolve).once('error', reject));
  const pack = promisify((text: string | Uint8Array, packed: (error?: Error | null) => void) =>
    gzip.write(text, packed),
  );
  // Whoever writes hears of it first.
  done.catch(() => {});
  return {
    async write(text) {
      if (text.length > 0) await pack(text);
    },
    async end() {
      gzip.end();
      await done;
      return Buffer.concat(pieces);
    },
  };
}
