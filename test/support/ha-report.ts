// What a fault did to the client, in numbers.

import type { Row, Seen } from './ha-client.ts';

export interface Damage {
  readonly asked: number;
  readonly failed: readonly Row[];
  /** Milliseconds from the fault to the start of the last request that failed; 0 for none. */
  readonly lasted: number;
  /** Longest answer, milliseconds. */
  readonly slowest: number;
  readonly text: string;
}

/** `at` is when the fault was made, in milliseconds since 1970. */
export function damageOf(seen: Seen, at: number): Damage {
  const failed = seen.rows.filter(([, , , outcome]) => outcome !== '200');
  const lasted = Math.max(0, ...failed.map(([started]) => started - at));
  const answered = seen.rows.filter(([, , , outcome]) => outcome === '200');
  const slowest = Math.round(Math.max(0, ...answered.map(([, , took]) => took)));
  const kinds = Object.entries(Object.groupBy(failed, ([, kind, , outcome]) => `${kind} ${outcome}`));
  const codes = Object.entries(Object.groupBy(seen.closed, ([, code]) => String(code)));
  const list = (entries: readonly (readonly [string, readonly unknown[] | undefined])[]): string =>
    entries.map(([name, all]) => `${name}: ${all?.length}`).join(', ') || 'none';
  const text =
    `${seen.rows.length} asked, ${failed.length} failed (${list(kinds)}), the last ${lasted} ms after the fault; ` +
    `slowest ${slowest} ms; WebSockets closed: ${list(codes)}; kept connections repeated: ${seen.repeated}; ` +
    `sticky strayed: ${seen.strayed}`;
  return { asked: seen.rows.length, failed, lasted, slowest, text };
}
