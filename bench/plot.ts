// Results as a picture: bars of requests per second and of CPU time per request, readable in light and dark.

import { type Read, type ResultFile, type Row, medianOf, titleOf } from './result.ts';

const rowHeight = 20;
const barHeight = 13;
const groupGap = 34;
const labelWidth = 230;
const panelWidth = 300;
const panelGap = 80;
const width = labelWidth + 2 * panelWidth + 2 * panelGap;

const colours: Readonly<Record<string, string>> = {
  portcullis: '#3b82f6',
  nginx: '#22a06b',
  haproxy: '#d97706',
  caddy: '#a855f7',
  traefik: '#06a3b7',
};

interface Panel {
  readonly title: string;
  readonly x: number;
  readonly read: Read;
  readonly digits: number;
}

const panels: readonly Panel[] = [
  { title: 'requests/s (more is better)', x: labelWidth, read: (round) => round.perSecond, digits: 0 },
  {
    title: 'CPU µs per request (less is better)',
    x: labelWidth + panelWidth + panelGap,
    read: (round) => round.cpu,
    digits: 1,
  },
];

/** Bars of one group share a scale: only they can be compared. */
export function toSvg(result: ResultFile): string {
  const groups = Map.groupBy(result.rows, (one) => `${titleOf(one)} (${one.cores} cores)`);
  const parts: string[] = [];
  let y = 40;
  for (const [title, rows] of groups) {
    y += groupGap;
    parts.push(text(12, y - 8, title.replace(' (1 cores)', ''), 'group'));
    for (const panel of panels) parts.push(...bars(panel, rows, y));
    rows.forEach((one, i) => parts.push(text(24, y + i * rowHeight + 11, one.label, 'label')));
    y += rows.length * rowHeight;
  }
  const titles = panels.map((panel) => text(panel.x, 28, panel.title, 'title'));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 20}" viewBox="0 0 ${width} ${y + 20}" role="img">
<title>Portcullis beside its peers</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2937; }
  .title, .group { font-weight: 600; }
  .value { font-size: 11px; fill: #4b5563; }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .value { fill: #b6bcc6; } }
</style>
${[...titles, ...parts].join('\n')}
</svg>
`;
}

function bars(panel: Panel, rows: readonly Row[], y: number): string[] {
  const values = rows.map((one) => medianOf(one, panel.read) ?? 0);
  const most = Math.max(...values);
  return rows.flatMap((one, i) => {
    const value = values[i] ?? 0;
    const length = most > 0 ? Math.max(1, (value / most) * panelWidth) : 1;
    const top = y + i * rowHeight;
    const colour = colours[one.peer] ?? '#6b7280';
    return [
      `<rect x="${panel.x}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="2" fill="${colour}"/>`,
      text(panel.x + length + 6, top + 11, value.toFixed(panel.digits), 'value'),
    ];
  });
}

function text(x: number, y: number, words: string, kind: string): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${safe}</text>`;
}
