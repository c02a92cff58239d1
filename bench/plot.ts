// Results as a picture: bars of requests per second and of CPU time per request, readable in light and dark.

import { type Read, type ResultFile, type Row, figureNames, medianOf, titleOf } from './result.ts';

const rowHeight = 20;
const barHeight = 13;
const groupGap = 34;
const labelWidth = 250;
const panelWidth = 300;
const panelGap = 110;
const width = labelWidth + 2 * panelWidth + 2 * panelGap;

const colours: Readonly<Record<string, string>> = {
  portcullis: '#3b82f6',
  nginx: '#22a06b',
  haproxy: '#d97706',
  caddy: '#a855f7',
  traefik: '#06a3b7',
};

interface Metric {
  readonly read: Read;
  readonly digits: number;
  /** Behind the value, where the panel's title does not say it. */
  readonly unit: string;
}

const places = [labelWidth, labelWidth + panelWidth + panelGap];
const titles = ['requests/s (more is better)', 'CPU µs per request (less is better)'];
const rates: readonly Metric[] = [
  { read: (round) => round.perSecond, digits: 0, unit: '' },
  { read: (round) => round.cpu, digits: 1, unit: '' },
];

/** Bars of one group share a scale: only they can be compared. */
export function toSvg(result: ResultFile): string {
  const groups = Map.groupBy(result.rows, (one) => `${titleOf(one)} (${one.cores} cores)`);
  const parts: string[] = [];
  let y = 40;
  for (const [title, rows] of groups) {
    y += groupGap;
    parts.push(text(12, y - 8, title.replace(' (1 cores)', ''), 'group'));
    metricsOf(rows).forEach((metric, i) => parts.push(...bars(metric, rows, { x: places[i] ?? 0, y })));
    rows.forEach((one, i) => parts.push(text(24, y + i * rowHeight + 11, one.label, 'label')));
    y += rows.length * rowHeight;
  }
  const headings = titles.map((title, i) => text(places[i] ?? 0, 28, title, 'title'));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 20}" viewBox="0 0 ${width} ${y + 20}" role="img">
<title>Portcullis beside its peers</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2937; }
  .title, .group { font-weight: 600; }
  .value { font-size: 11px; fill: #4b5563; }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .value { fill: #b6bcc6; } }
</style>
${[...headings, ...parts].join('\n')}
</svg>
`;
}

/** Where the driver sets the pace, what was found besides stands in place of the rates. */
function metricsOf(rows: readonly Row[]): readonly Metric[] {
  if (rows.some((one) => medianOf(one, (round) => round.perSecond) !== null)) return rates;
  const names = [...new Set(rows.flatMap(figureNames))].slice(0, places.length);
  return names.map((name) => ({
    read: (round) => round.figures?.[name] ?? null,
    digits: 1,
    unit: ` ${name}`,
  }));
}

function bars(
  metric: Metric,
  rows: readonly Row[],
  at: { readonly x: number; readonly y: number },
): string[] {
  const values = rows.map((one) => medianOf(one, metric.read));
  const most = Math.max(...values.map((value) => value ?? 0));
  return rows.flatMap((one, i) => {
    const value = values[i] ?? null;
    if (value === null) return [];
    const length = most > 0 ? Math.max(1, (value / most) * panelWidth) : 1;
    const top = at.y + i * rowHeight;
    const colour = colours[one.peer] ?? '#6b7280';
    return [
      `<rect x="${at.x}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="2" fill="${colour}"/>`,
      text(at.x + length + 6, top + 11, `${value.toFixed(metric.digits)}${metric.unit}`, 'value'),
    ];
  });
}

function text(x: number, y: number, words: string, kind: string): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${safe}</text>`;
}
