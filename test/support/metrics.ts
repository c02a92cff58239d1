// Reads what Prometheus reads: the text format, as numbers by series.

import assert from 'node:assert/strict';

export interface Scrape {
  readonly text: string;
  /** By series as it is written: `name{a="b"}`. */
  readonly values: ReadonlyMap<string, number>;
  /** Families: type by name. */
  readonly types: ReadonlyMap<string, string>;
}

export async function scrape(base: string, path = '/metrics'): Promise<Scrape> {
  const response = await fetch(`${base}${path}`);
  assert.equal(response.status, 200);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Scrape {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) {
      assert.ok(!types.has(type[1] as string), `${type[1]} comes twice`);
      types.set(type[1] as string, type[2] as string);
    }
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    const series = line.slice(0, at);
    assert.ok(!values.has(series), `${series} comes twice`);
    values.set(series, Number(line.slice(at + 1)));
  }
  return { text, values, types };
}

/** Sum over the series of `name` whose labels hold all of `labels`, each as `a="b"`. */
export function sumOf({ values }: Scrape, name: string, ...labels: readonly string[]): number {
  let sum = 0;
  for (const [series, value] of values) {
    if (!series.startsWith(`${name}{`) && series !== name) continue;
    if (labels.every((label) => series.includes(label))) sum += value;
  }
  return sum;
}
