// Comparing secrets.

import { timingSafeEqual } from 'node:crypto';

/** How long it takes tells nothing but the lengths. */
export function timingSafeSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')];
  return left.length === right.length && timingSafeEqual(left, right);
}
