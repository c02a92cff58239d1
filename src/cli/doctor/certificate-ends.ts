// When certificates end, and what is to be said of it.

import { X509Certificate } from 'node:crypto';
import type { Finding } from './finding.ts';

/** Of its life, left of one that should have been renewed long ago. */
const late = 1 / 6;

export const whyNotRenewed = 'GET /api/portcullis/acme says why it is not renewed';

export interface End {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly isSoon: boolean;
}

/** Nothing for none. `whose`: `of files`, `in acme.json`. */
export function judge(ends: readonly End[], whose: string, fix: string): Finding[] {
  if (ends.length === 0) return [];
  const now = Date.now();
  const expired = ends.filter(({ notAfter }) => notAfter < now);
  const ending = ends.filter(({ notAfter, isSoon }) => isSoon && notAfter >= now);
  const findings: Finding[] = [];
  if (expired.length > 0)
    findings.push({ level: 'error', says: `${whose}: ${expired.length} expired: ${named(expired)}`, fix });
  if (ending.length > 0)
    findings.push({ level: 'warning', says: `${whose}: ${ending.length} end soon: ${named(ending)}`, fix });
  return findings.length > 0 ? findings : [{ level: 'ok', says: `${ends.length} ${whose}, none ends soon` }];
}

/** Of one that is renewed by itself. Throws when it is no certificate. */
export function endOf(main: string, pem: string): End {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const notAfter = validToDate.getTime();
  return {
    name: main,
    notAfter,
    isSoon: notAfter - Date.now() < late * (notAfter - validFromDate.getTime()),
  };
}

function named(ends: readonly End[]): string {
  const texts = ends
    .toSorted((a, b) => a.notAfter - b.notAfter)
    .slice(0, 3)
    .map(({ name, notAfter }) => `${name} (${new Date(notAfter).toISOString().slice(0, 10)})`);
  return texts.join(', ') + (ends.length > 3 ? ', …' : '');
}
