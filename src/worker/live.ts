// Tells the primary once a second what was counted for the dashboard, for as long as it wants to know.

import type { Gateway } from '../proxy/gateway.ts';
import type { Report } from './report.ts';

/** Milliseconds. */
const interval = 1_000;

/** To be called once. Says nothing in seconds in which nothing happened. */
export function tellLive(gateway: () => Gateway | null, report: Report): void {
  const timer = setInterval(() => {
    const counts = gateway()?.takeLive() ?? null;
    if (counts !== null) report({ type: 'live', counts });
  }, interval);
  timer.unref();
}
