// Pieces of PromQL that several dashboards share, so that a number means the same on each of them.

/** Labels of the instances chosen, and more of them: `of('service=~"$service"')`. */
export function of(...matchers: readonly string[]): string {
  return `{${['instance=~"$instance"', ...matchers].join(',')}}`;
}

/**
 * Answers that are the platform's fault: HTTP's 5xx and gRPC's Unknown, Deadline exceeded, Unimplemented, Internal,
 * Unavailable and Data loss, which come in the same label. The alert rules say the same.
 */
export const failed = 'code=~"5..|2|4|12|13|14|15"';

/** Requests that end: a tunnel or a stream of events is as slow as its client likes. */
export const ending = 'protocol!~"websocket|sse"';

export function rate(series: string): string {
  return `rate(${series}[$__rate_interval])`;
}

export function sumBy(by: string, inner: string): string {
  return by === '' ? `sum(${inner})` : `sum by (${by}) (${inner})`;
}

/** Share of failed requests, 0 to 1; 0 where nothing failed. */
export function errorShare(metric: string, by: string, ...matchers: readonly string[]): string {
  const all = sumBy(by, rate(metric + of(...matchers)));
  const bad = sumBy(by, rate(metric + of(failed, ...matchers)));
  return `(${bad} or 0 * ${all}) / (${all} > 0)`;
}

/** Of a histogram, seconds. */
export function quantile(q: number, histogram: string, by: string, ...matchers: readonly string[]): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, ${sumBy(labels, rate(`${histogram}_bucket${of(...matchers)}`))})`;
}

/** Mean of a histogram, seconds. */
export function mean(histogram: string, by: string, ...matchers: readonly string[]): string {
  const sum = sumBy(by, rate(`${histogram}_sum${of(...matchers)}`));
  const count = sumBy(by, rate(`${histogram}_count${of(...matchers)}`));
  return `${sum} / (${count} > 0)`;
}

/** The largest few: a legend of a thousand names helps nobody. */
export function top(count: number, inner: string): string {
  return `topk(${count}, ${inner})`;
}
