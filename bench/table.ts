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

/** A picture, and a short table with everyone's ratio to nginx. */
export function toHeadlines(result: ResultFile): string {
  const { machine, setup, rows } = result;
  const cores = rows[0]?.cores ?? 1;
  const heads = [
    '',
    'requests/s',
    '× nginx',
    'CPU µs/request',
    '× nginx',
    'p99 ms',
    'peak RSS MiB',
    'errors',
  ];
  const lines = rows.map((one) => {
    const nginx = rows.find((other) => other.peer === 'nginx' && titleOf(other) === titleOf(one));
    const name = `${titleOf(one)}: ${one.peer === 'portcullis' ? `**${one.label}**` : one.label}`;
    return row([
      name,
      figure(one, rate),
      ratio(one, nginx, rate),
      figure(one, cpu),
      ratio(one, nginx, cpu),
      figure(one, (round) => round.p99),
      figure(one, (round) => round.peakRss / 1_048_576),
      String(errorsOf(one)),
    ]);
  });
  const machineLine = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`;
  const setupLine = `medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s, ${cores} ${cores === 1 ? 'core' : 'cores'} each`;
  return [
    '![requests per second, CPU per request and p99 beside nginx and the others](bench/results/latest.svg)',
    '',
    row(heads),
    row(heads.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...lines,
    '',
    `${machineLine}; ${setupLine}; ${result.startedAt.slice(0, 10)}. All cells: [bench/results/latest.md](bench/results/latest.md).`,
  ].join('\n');
}

const rate: Read = (round) => round.perSecond;
const cpu: Read = (round) => round.cpu;

function figure(one: Row, read: Read): string {
  const value = medianOf(one, read);
  return value === null ? '' : formatFigure(value);
}

function ratio(one: Row, base: Row | undefined, read: Read): string {
  const value = medianOf(one, read);
  const unit = base === undefined || base === one ? null : medianOf(base, read);
  return value === null || unit === null || unit === 0 ? '' : formatFigure(value / unit);
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
