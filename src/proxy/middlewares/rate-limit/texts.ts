// What rateLimit tells clients: Retry-After, X-Retry-In, and RateLimit and RateLimit-Policy of
// draft-ietf-httpapi-ratelimit-headers.

import type { BucketSpec } from '../../../state/state.ts';
import type { HeaderList } from '../../headers.ts';

export interface LimitTexts {
  /** `"api";q=100;w=1`: so many requests in so many seconds. */
  readonly policy: string;
  /** `"api";r=7;t=1`: so many are left, and all will be after so many seconds. */
  left(remaining: number): string;
}

/** Texts kept, those of the lowest numbers. */
const maxKept = 1024;

export function limitTexts(
  { rate, burst }: BucketSpec,
  { period }: { readonly period: number },
  middleware: string,
): LimitTexts {
  const name = policyName(middleware);
  const window = Math.max(1, Math.ceil(period / 1000));
  // Whole seconds and whole requests are all that the fields can say.
  const quota = Math.max(1, Math.floor(rate * window * 1000 + 1e-6));
  const kept: string[] = [];
  const make = (remaining: number): string => {
    const seconds = Math.ceil((burst - remaining) / rate / 1000 - 1e-9);
    return `"${name}";r=${remaining};t=${seconds}`;
  };
  return {
    policy: `"${name}";q=${quota};w=${window}`,
    left(remaining) {
      if (remaining >= maxKept) return make(remaining);
      return (kept[remaining] ??= make(remaining));
    },
  };
}

/** `wait` in milliseconds. */
export function retryHeaders(wait: number): HeaderList {
  return ['retry-after', String(Math.ceil(wait / 1000)), 'x-retry-in', goDuration(wait)];
}

/** As Go prints a duration: `350ms`, `1.5s`, `1m0.5s`. */
export function goDuration(ms: number): string {
  const ns = Math.floor(ms * 1e6 + 1e-3);
  if (ns === 0) return '0s';
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${decimal(ns, 3)}µs`;
  if (ns < 1e9) return `${decimal(ns, 6)}ms`;
  const hours = Math.floor(ns / 3.6e12);
  const minutes = Math.floor(ns / 6e10) % 60;
  const seconds = `${decimal(ns % 6e10, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** `value` divided by ten to the `digits`, with no more digits than it needs. */
function decimal(value: number, digits: number): string {
  const unit = 10 ** digits;
  const rest = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(Math.floor(value / unit)) : `${Math.floor(value / unit)}.${rest}`;
}

/** Tells two limits of one route apart. Only what needs no escape in a quoted text. */
function policyName(middleware: string): string {
  const name = middleware.split('@', 1)[0] ?? '';
  return /^[\w.-]{1,64}$/.test(name) ? name : 'default';
}
