// Lists of status codes as Traefik's options write them: `404`, `500-599`.

import { z } from 'zod';
import { list } from './fields.ts';

export type StatusRanges = readonly (readonly [from: number, to: number])[];

/** `["500-599", "404"]`, or the same in one text with commas. */
export const statusRanges: z.ZodType<StatusRanges> = list.transform((items, context) => {
  const ranges = items.map(parseStatusRange);
  const wrong = ranges.indexOf(null);
  if (wrong === -1) return ranges as StatusRanges;
  context.addIssue({
    code: 'custom',
    message: `expected status codes such as 404 or 500-599, not ${JSON.stringify(items[wrong]?.slice(0, 40))}`,
  });
  return z.NEVER;
});

/** Both ends included; null when it is none. */
export function parseStatusRange(written: string): readonly [number, number] | null {
  const match = /^(\d{3})(?:-(\d{3}))?$/.exec(written.trim());
  if (match === null) return null;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from >= 100 && from <= to ? [from, to] : null;
}

export function inRanges(ranges: StatusRanges, status: number): boolean {
  for (const [from, to] of ranges) {
    if (status >= from && status <= to) return true;
  }
  return false;
}
