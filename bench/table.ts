// Results as Markdown.

import {
  type Measured,
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
    `Medians of ${setup.rounds} interleaved rounds of ${setup.seconds} s. CPU is user and system time of all the`,
    'processes of a proxy; RSS is summed over them, shared pages counted once for each.',
    '',
    row(head),
    row(head.map((_, i) => (i < 4 || i === head.length - 1 ? '---' : '---:'))),
    ...result.rows.map(lineOf),
  ];
  if (result.skipped.length > 0) lines.push('', 'Not measured:', '');
  for (const one of result.skipped) {
    lines.push(`- ${titleOf(one)}, ${one.label}: ${shortened(one.reason)}`);
  }
  return `${lines.join('\n')}\n`;
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
