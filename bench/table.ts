// Results as Markdown.

import { formatFigure } from './format.ts';
import {
  type Measured,
  type Read,
  type ResultFile,
  type Row,
  errorsOf,
  figureNames,
  medianOf,
  titleOf,
} from './result.ts';

const head = [
  'scenario',
  'who',
  'cores',
  'driver',
  'requests/s',
  'CPU µs/request',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'peak RSS MiB',
  'errors',
  'besides',
];

export function toMarkdown(result: ResultFile): string {
  const { machine, setup } = result;
  const peers = Object.entries(machine.peers).map(([name, version]) => `${name}: ${version}`);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryMiB} MiB, Linux ${machine.kernel}, Node ${machine.node}.`,
    `${peers.join('; ')}.`,
    `Medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s${setup.seconds > 1 ? ', or of 1 s where that is enough' : ''}. CPU is user and system time of all the`,
    'processes of a proxy; RSS is summed over them, shared pages counted once for each.',
    '',
    row(head),
    row(head.map((_, i) => (i < 4 || i === head.length - 1 ? '---' : '---:'))),
    ...result.rows.map(lineOf),
  ];
  if (result.isPartial === true)
    lines.unshift('**Stopped before its end: some cells have fewer rounds, or none.**', '');
  // With every number of cores the same ones cannot.
  const skipped = new Set(
    result.skipped.map((one) => `- ${titleOf(one)}, ${one.label}: ${shortened(one.reason)}`),
  );
  if (skipped.size > 0) lines.push('', 'Not measured:', '', ...skipped);
  return `${lines.join('\n')}\n`;
}

/** What README.md shows of a result: these cases, of the least number of cores. */
const headlines = [
  'plain',
  'browser',
  'latency, 70 % load',
  'protected, no cache',
  'protected, cache',
  'sticky, returning',
  'new-connections',
  'https, kept',
  'https, handshakes',
  'web-sockets, echo',
];

/** The rows README.md shows. */
export function headlinesOf(result: ResultFile): ResultFile {
  const cores = Math.min(...result.rows.map((one) => one.cores));
  const rows = result.rows.filter((one) => one.cores === cores && headlines.includes(titleOf(one)));
  return { ...result, rows };
}

/** A picture, and a short table: a line for each case, with ours, nginx and whoever is best of the others. */
export function toHeadlines(result: ResultFile): string {
  const { machine, setup, rows } = result;
  const cores = rows[0]?.cores ?? 1;
  const heads = shown.flatMap(({ name }) => [name, 'nginx', 'best other']);
  const lines = [...new Set(rows.map(titleOf))].map((title) => {
    const those = rows.filter((one) => titleOf(one) === title);
    const ours = those.find((one) => one.peer === 'portcullis');
    const nginx = those.find((one) => one.peer === 'nginx');
    const others = those.filter((one) => one !== ours && one !== nginx);
    return row([
      title,
      ...shown.flatMap((one) => [
        emphasised(figure(ours, one.read)),
        figure(nginx, one.read),
        bestOf(others, one),
      ]),
    ]);
  });
  const machineLine = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`;
  const setupLine = `medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s, ${cores} ${cores === 1 ? 'core' : 'cores'} each`;
  return [
    '![requests per second, CPU per request and p99 beside nginx and the others](bench/results/latest.svg)',
    '',
    row(['', ...heads]),
    row(['---', ...heads.map(() => '---:')]),
    ...lines,
    '',
    `${machineLine}; ${setupLine}; ${result.startedAt.slice(0, 10)}. Who is who, memory, errors, all cells: [bench/results/latest.md](bench/results/latest.md).`,
  ].join('\n');
}

interface Shown {
  readonly name: string;
  readonly read: Read;
  readonly isMoreBetter: boolean;
}

const rate: Read = (round) => round.perSecond;
const cpu: Read = (round) => round.cpu;

const shown: readonly Shown[] = [
  { name: 'requests/s', read: rate, isMoreBetter: true },
  { name: 'CPU µs/request', read: cpu, isMoreBetter: false },
  { name: 'p99 ms', read: (round) => round.p99, isMoreBetter: false },
];

/** With its name. Who had errors is not among the best: to refuse is quick. */
function bestOf(others: readonly Row[], { read, isMoreBetter }: Shown): string {
  let best: { readonly peer: string; readonly value: number } | null = null;
  for (const one of others) {
    const value = errorsOf(one) === 0 ? medianOf(one, read) : null;
    if (value === null) continue;
    if (best === null || (isMoreBetter ? value > best.value : value < best.value))
      best = { peer: one.peer, value };
  }
  return best === null ? '' : `${formatFigure(best.value)} ${best.peer}`;
}

/** Empty where there is none; errors stand beside it. */
function figure(one: Row | undefined, read: Read): string {
  const value = one === undefined ? null : medianOf(one, read);
  if (one === undefined || value === null) return '';
  const errors = errorsOf(one);
  return `${formatFigure(value)}${errors === 0 ? '' : ` (${errors} errors)`}`;
}

function emphasised(cell: string): string {
  return cell === '' ? '' : `**${cell}**`;
}

function lineOf(one: Row): string {
  const cell = (read: (round: Measured) => number | null, digits: number): string =>
    medianOf(one, read)?.toFixed(digits) ?? '';
  const figures = figureNames(one).map(
    (name) => `${cell((round) => round.figures?.[name] ?? null, 1)} ${name}`,
  );
  return row([
    titleOf(one),
    one.label,
    String(one.cores),
    one.rounds[0]?.driver ?? '',
    cell((round) => round.perSecond, 0),
    cell((round) => round.cpu, 1),
    cell((round) => round.p50, 2),
    cell((round) => round.p99, 2),
    cell((round) => round.p999, 2),
    cell((round) => round.peakRss / 1_048_576, 0),
    String(errorsOf(one)),
    figures.join(', '),
  ]);
}

/** A program that did not come up says why at the end. */
function shortened(reason: string): string {
  const lines = reason.trim().split('\n');
  return lines.length === 1 ? reason : `${lines[0]}: ${lines.at(-1)}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
