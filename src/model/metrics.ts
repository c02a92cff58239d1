// Metrics: what processes are told about them, and what workers tell the primary of what they counted.

/** `metrics.prometheus`, as workers need it. */
export interface MetricsSettings {
  /** Upper bounds of the histograms of requests, seconds, ascending; 1 to 64. */
  readonly buckets: readonly number[];
  readonly entryPoints: boolean;
  readonly routers: boolean;
  readonly services: boolean;
  /** Also routers of the gateway's own. */
  readonly addInternals: boolean;
  /** Labels whose values clients send, at most 8; header names in lower case. */
  readonly headerLabels: readonly { readonly label: string; readonly header: string }[];
}

/**
 * What one worker has counted since its last message. All ids are the worker's own. `cells` counts requests; each has
 * `4 + buckets + 1` values: requests, seconds, bytes in, bytes out, and requests by bucket, the last without a bound.
 */
export interface WorkerMetrics {
  readonly type: 'metrics';
  /** New cells, six entries each: id, scope (0 entry point, 1 router, 2 service), name, service, key, header labels. */
  readonly newCells: readonly (number | string)[];
  readonly cells: Uint32Array;
  /** What is to be added, in the order of `cells`. */
  readonly cellValues: Float64Array;
  /** New samples, five entries each: id, metric, suffix, labels as text, kind (0 counter, 1 sum gauge, 2 max gauge). */
  readonly newSamples: readonly (number | string)[];
  readonly samples: Uint32Array;
  /** Of counters what is to be added, of gauges what they stand at. */
  readonly sampleValues: Float64Array;
  /** Samples that are no more. */
  readonly goneSamples: Uint32Array;
}
