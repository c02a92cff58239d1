// Results as a picture: a group for each case, a bar for each proxy, on a card of its own for light and dark pages.

import { formatFigure } from './format.ts';
import { type Read, type ResultFile, type Row, figureNames, medianOf, titleOf } from './result.ts';

const margin = 28;
const headHeight = 92;
const rowHeight = 20;
const barHeight = 12;
const headingHeight = 26;
const groupGap = 26;
const labelWidth = 244;
const panelWidth = 272;
const barWidth = 158;
const panels = 3;
const width = margin * 2 + labelWidth + panels * panelWidth;
/** What ratios refer to, where it takes part. */
const reference = 'nginx';

const style = `
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { font: 12px ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 19px; font-weight: 600; }
  .small, .heading { font-size: 11px; fill: #59636e; }
  .group, .ours { font-weight: 600; }
  .group { font-size: 13px; }
  .ratio { fill: #59636e; font-size: 11px; font-weight: 400; }
  .rule { stroke: #d8dee4; }
  .track { fill: #f0f2f5; }
  .line { fill: none; stroke-width: 1.5; }
  .portcullis { fill: #1f6feb; stroke: #1f6feb; }
  .nginx { fill: #57ab7c; stroke: #57ab7c; }
  .haproxy { fill: #d29a4a; stroke: #d29a4a; }
  .caddy { fill: #a587cf; stroke: #a587cf; }
  .traefik { fill: #4fa9bb; stroke: #4fa9bb; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d; }
    text { fill: #e6edf3; }
    .small, .heading, .ratio { fill: #9198a1; }
    .rule { stroke: #262c34; }
    .track { fill: #1a2028; }
    .portcullis { fill: #4493f8; stroke: #4493f8; }
  }`;

/** Bars of one group and column share a scale: only they can be compared. */
export function toSvg(result: ResultFile): string {
  const groups = Map.groupBy(result.rows, (one) => `${titleOf(one)}\n${coresOf(one.cores)}`);
  const hasManyCores = new Set(result.rows.map((one) => one.cores)).size > 1;
  const parts: string[] = [];
  let y = headHeight;
  for (const [key, rows] of groups) {
    const [title = '', cores = ''] = key.split('\n');
    const asked =
      rows[0] === undefined ? null : medianOf(rows[0], (round) => round.figures?.['asked/s'] ?? null);
    const words = [
      title,
      ...(asked === null ? [] : [`${formatFigure(asked)}/s`]),
      ...(hasManyCores ? [cores] : []),
    ];
    parts.push(...group(words.join(' · '), rows, y));
    y += headingHeight + rows.length * rowHeight + groupGap;
  }
  const height = y - groupGap + margin - 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>Portcullis beside its peers</title>
<style>${style}
</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
${[...head(result), ...parts].join('\n')}
</svg>
`;
}

function head({ machine, setup, rows }: ResultFile): readonly string[] {
  const cores = [...new Set(rows.map((one) => one.cores))].map(coresOf).join(' and ');
  const versions = Object.entries(machine.peers).map(([name, version]) => `${name} ${version}`);
  const setting = `${cores} each · medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s`;
  return [
    text(margin, 40, 'Portcullis beside its peers', 'title'),
    text(
      margin,
      61,
      `${setting} · ${machine.cpu.replace(/\((R|TM)\)/gi, '')}, ${coresOf(machine.cores)}, shared with client and origin`,
      'small',
    ),
    text(
      margin,
      78,
      `${versions.join(' · ')} · ↑ more is better, ↓ less is better, × is the ratio to ${reference}`,
      'small',
    ),
  ];
}

function group(title: string, rows: readonly Row[], top: number): readonly string[] {
  const columns = columnsOf(rows);
  const parts = [
    `<line class="rule" x1="${margin}" x2="${width - margin}" y1="${top + 5}" y2="${top + 5}"/>`,
    text(margin, top + 22, title, 'group'),
    ...columns.map((column, i) => text(panelX(i), top + 22, column.heading, 'heading')),
  ];
  rows.forEach((one, i) => {
    const y = top + headingHeight + 6 + i * rowHeight;
    parts.push(text(margin + 12, y + 10, one.label, one.peer === 'portcullis' ? 'label ours' : 'label'));
    columns.forEach((column, at) => parts.push(...column.draw(one, panelX(at), y)));
  });
  return parts;
}

function panelX(i: number): number {
  return margin + labelWidth + i * panelWidth;
}

interface Column {
  readonly heading: string;
  draw(row: Row, x: number, y: number): readonly string[];
}

/** Where the driver sets the pace, latencies, or what was found besides, stand in place of the rates. */
function columnsOf(rows: readonly Row[]): readonly Column[] {
  const p50 = bars(rows, 'p50 ms ↓', (round) => round.p50);
  const p99 = bars(rows, 'p99 ms ↓', (round) => round.p99);
  const p999 = bars(rows, 'p99.9 ms ↓', (round) => round.p999);
  const names = [...new Set(rows.flatMap(figureNames))];
  if (names.includes('asked/s')) return [p50, p99, p999];
  if (rows.some((one) => medianOf(one, (round) => round.perSecond) !== null)) {
    return [
      bars(rows, 'requests/s ↑', (round) => round.perSecond),
      bars(rows, 'CPU µs per request ↓', (round) => round.cpu),
      p99,
    ];
  }
  const figures = names.map((name) => bars(rows, `${name} ↓`, (round) => round.figures?.[name] ?? null));
  const hasCurve = rows.some((one) => curveOf(one).length > 1);
  const last = rows.some((one) => medianOf(one, (round) => round.p99) !== null) ? [p99] : [];
  return [...figures.slice(0, panels - 1), ...(hasCurve ? [curves()] : last)];
}

function bars(rows: readonly Row[], heading: string, read: Read): Column {
  const most = Math.max(0, ...rows.map((one) => medianOf(one, read) ?? 0));
  const base = rows.filter((one) => one.peer === reference).map((one) => medianOf(one, read))[0] ?? null;
  // A share of next to nothing says nothing.
  const isGrowth = heading.includes('growth');
  return {
    heading,
    draw(row, x, y) {
      const value = medianOf(row, read);
      if (value === null) return [];
      const length = most > 0 ? Math.max(2, (value / most) * barWidth) : 2;
      const isRatio = base !== null && base > 0 && value > 0 && row.peer !== reference && !isGrowth;
      const ratio = isRatio ? `<tspan class="ratio" dx="6">${formatFigure(value / base)}×</tspan>` : '';
      const kind = row.peer === 'portcullis' ? 'ours' : 'value';
      return [
        bar(x, y, barWidth, 'track'),
        bar(x, y, length, row.peer),
        text(x + barWidth + 8, y + 10, formatFigure(value), kind, ratio),
      ];
    },
  };
}

/** Memory over time, each from 0 to a little over its own peak: it is the shape that counts. */
function curves(): Column {
  return {
    heading: 'memory over time, own scale',
    draw(row, x, y) {
      const values = curveOf(row);
      const most = Math.max(1, ...values) * 1.2;
      const step = barWidth / Math.max(1, values.length - 1);
      const points = values.map(
        (value, i) => `${(x + i * step).toFixed(1)},${(y + barHeight * (1 - value / most)).toFixed(1)}`,
      );
      return [
        bar(x, y, barWidth, 'track'),
        `<polyline class="line ${row.peer}" style="fill: none" points="${points.join(' ')}"/>`,
      ];
    },
  };
}

function curveOf(row: Row): readonly number[] {
  return row.rounds.findLast((round) => round.rss !== undefined)?.rss ?? [];
}

function bar(x: number, y: number, length: number, kind: string): string {
  return `<rect class="${kind}" stroke="none" style="stroke: none" x="${x}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2.5"/>`;
}

function text(x: number, y: number, words: string, kind: string, more = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text class="${kind}" x="${x}" y="${y}">${safe}${more}</text>`;
}

function coresOf(count: number): string {
  return `${count} ${count === 1 ? 'core' : 'cores'}`;
}
