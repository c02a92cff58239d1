// The picture `top` shows: rows of a terminal, made from numbers alone.

import { styleText } from 'node:util';
import type { LivePoint } from '../../primary/live.ts';
import type { Numbers } from './numbers.ts';
import { clock, count, milliseconds, printable, share, span, sparkline } from './words.ts';

export interface Frame {
  readonly numbers: Numbers;
  readonly points: readonly LivePoint[];
  /** Characters. */
  readonly width: number;
  /** Rows for recent errors. */
  readonly errorRows: number;
  /** Errors that are scrolled away. */
  readonly skipped: number;
  readonly color: boolean;
  /** Why the newest numbers are missing; null when they are there. */
  readonly problem: string | null;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const labelWidth = 15;

/** Rows above the first error: for whoever has to know how many errors fit. */
export const rowsAbove = 14;

/** Rows without line ends, each at most `width` characters. */
export function frame({ numbers, points, width, errorRows, skipped, color, problem }: Frame): string[] {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const row = (label: string, value: string): string => `${paint('dim', label.padEnd(labelWidth))}${value}`;
  const rows = [
    head(numbers, width, paint),
    '',
    row('requests', requests(numbers, points, width, paint)),
    row('latency', latency(numbers)),
    row('answers', answers(numbers, paint)),
    row('auth cache', authCache(numbers)),
    '',
    row('workers', workers(numbers, paint)),
    row('routers', routers(numbers, paint)),
    row('servers', servers(numbers, width, paint)),
    row('certificates', certificates(numbers, width, paint)),
    row('configuration', configuration(numbers, paint)),
    '',
    problem === null
      ? paint('bold', `recent errors${skipped > 0 ? ` from ${skipped + 1}` : ''}`)
      : paint(['red', 'bold'], fit(`not reached: ${problem}; trying again`, width)),
  ];
  return [...rows, ...errors(numbers, { width, errorRows, skipped }, paint)];
}

function head({ at, endpoint, version, uptime }: Numbers, width: number, paint: Paint): string {
  const up = uptime === null ? '' : `  up ${span(uptime)}`;
  const time = clock(Date.parse(at));
  const left = fit(
    `portcullis ${printable(version, 40)}  ${printable(endpoint)}${up}`,
    width - time.length - 2,
  );
  return `${paint('bold', left)}${' '.repeat(Math.max(2, width - left.length - time.length))}${paint('dim', time)}`;
}

function requests(
  { requests: { perSecond, peak } }: Numbers,
  points: readonly LivePoint[],
  width: number,
  paint: Paint,
): string {
  const rate = `${count(perSecond)}/s`.padEnd(12);
  const most = `  peak ${count(peak)}/s`;
  const line = sparkline(
    points.map((point) => point.requests),
    Math.min(150, width - labelWidth - rate.length - most.length),
  );
  return `${paint('bold', rate)}${paint('cyan', line)}${paint('dim', most)}`;
}

function latency({ latency: { p50, p95, p99 } }: Numbers): string {
  return (
    [
      ['p50', p50],
      ['p95', p95],
      ['p99', p99],
    ] as const
  )
    .map(([name, value]) => `${name} ${milliseconds(value).padEnd(10)}`)
    .join(' ')
    .trimEnd();
}

function answers({ statuses, requests: { seconds } }: Numbers, paint: Paint): string {
  const { requests: all, clientErrors, serverErrors } = statuses;
  const part = (name: string, some: number, style: Style): string => {
    const text = `${name} ${count(some)} (${share(some, all)})`;
    return some === 0 ? `${name} 0` : paint(style, text);
  };
  const within = seconds === 0 ? '' : paint('dim', ` in ${span(seconds)}`);
  return `${count(all)}${within}   ${part('4xx', clientErrors, 'yellow')}   ${part('5xx', serverErrors, 'red')}`;
}

function authCache({ authCache: { hits, misses } }: Numbers): string {
  const all = hits + misses;
  return all === 0 ? '–' : `${share(hits, all)} of ${count(all)} known without asking`;
}

function workers({ workers: { running, total, behind } }: Numbers, paint: Paint): string {
  const text = `${running} of ${total} running`;
  if (behind > 0) return paint('yellow', `${text}, ${behind} with an older configuration`);
  return running < total ? paint('yellow', text) : text;
}

function routers({ routers: { total, off, warnings } }: Numbers, paint: Paint): string {
  return listed([
    count(total),
    off > 0 && paint('red', `${count(off)} off (they answer 503)`),
    warnings > 0 && paint('yellow', `${count(warnings)} with warnings`),
  ]);
}

function servers({ servers: { total, down } }: Numbers, width: number, paint: Paint): string {
  if (down.length === 0) return count(total);
  const names = down.map(({ url, service }) => `${printable(url)} (${printable(service)})`).join(', ');
  const text = `${count(total)}, ${count(down.length)} down: ${names}`;
  return paint('red', fit(text, width - labelWidth));
}

function certificates({ certificates: found }: Numbers, width: number, paint: Paint): string {
  const { total, soon, expired, failing } = found;
  const plain = listed([
    count(total),
    expired > 0 && `${count(expired)} expired`,
    soon > 0 && `${count(soon)} end within 30 days`,
    failing.length > 0 &&
      `${count(failing.length)} cannot be ordered: ${printable(failing[0]?.name ?? '')}: ${printable(failing[0]?.reason ?? '')}`,
  ]);
  const text = fit(plain, width - labelWidth);
  if (expired > 0 || failing.length > 0) return paint('red', text);
  return soon > 0 ? paint('yellow', text) : text;
}

function configuration({ configuration: found }: Numbers, paint: Paint): string {
  const { version, hash, errors: wrong, warnings } = found;
  return listed([
    `version ${version} ${paint('dim', printable(hash, 12))}`,
    wrong > 0 && paint('red', wrong === 1 ? '1 error' : `${count(wrong)} errors`),
    warnings > 0 && paint('yellow', warnings === 1 ? '1 warning' : `${count(warnings)} warnings`),
  ]);
}

interface Part {
  readonly width: number;
  readonly errorRows: number;
  readonly skipped: number;
}

function errors(numbers: Numbers, { width, errorRows, skipped }: Part, paint: Paint): string[] {
  if (errorRows <= 0) return [];
  if (numbers.errors.length === 0) return [paint('dim', 'none')];
  const shown = numbers.errors.slice(skipped, skipped + errorRows);
  const places = shown.map(({ server, service, router, entryPoint }) =>
    printable(server ?? service ?? router ?? entryPoint, 60),
  );
  const counts = shown.map(({ count: times }) => `×${count(times)}`);
  const widths = {
    place: widest(places),
    count: widest(counts),
    code: widest(shown.map(({ code }) => code)),
  };
  return shown.map((error, index) => {
    const fixed = `${clock(error.last)}  ${error.status}  ${(counts[index] ?? '').padStart(widths.count)}`;
    const what = `  ${error.code.padEnd(widths.code)}  ${(places[index] ?? '').padEnd(widths.place)}  `;
    const line = fit(
      `${fixed}${what}${error.reason === error.code ? '' : printable(error.reason)}`.trimEnd(),
      width,
    );
    return paint(error.status >= 500 ? 'red' : 'yellow', line);
  });
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0);
}

function listed(parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(', ');
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
