// `npm run bench:compare -- A.json B.json`: which differences between two results exceed the noise.

import { formatChange } from './format.ts';
import { type Comparison, compareResults, lineOf, type Verdict } from './judge.ts';
import { readResult } from './result-file.ts';

const usage = `npm run bench:compare -- A.json B.json [--all]

Compares B with A, cell by cell. A difference counts when it exceeds the noise: the medians lie more than 5 %
apart (that much one start differs from another), and a rank test over the rounds finds it unlikely that nothing
has changed: 5 % and below, or with three rounds that all of one lie above all of the other. Fewer than three
rounds are not judged. Each line says the widest spread of the rounds beside the change. What the peers' rates
did meanwhile is what the machine did. --all prints what is within the noise too.`;

const args = process.argv.slice(2);
const files = args.filter((one) => !one.startsWith('--'));
const [first, second] = files;
if (args.includes('--help') || first === undefined || second === undefined || files.length !== 2) {
  console.log(usage);
  process.exitCode = args.includes('--help') ? 0 : 2;
} else {
  print(compareResults(readResult(first), readResult(second)), args.includes('--all'));
}

function print(comparison: Comparison, isAll: boolean): void {
  const { findings, onlyFirst, onlySecond, isSameMachine, drift } = comparison;
  if (!isSameMachine) {
    console.log('!! measured on different machines: only ratios to a peer of the same file mean anything\n');
  }
  if (drift !== null) console.log(`the peers' requests/s: ${formatChange(drift)} (median)\n`);
  const counts: Record<Verdict, number> = { better: 0, worse: 0, within: 0, unknown: 0 };
  for (const finding of findings) {
    counts[finding.verdict] += 1;
    if (isAll || finding.verdict === 'better' || finding.verdict === 'worse') console.log(lineOf(finding));
  }
  for (const cell of onlyFirst) console.log(`only in the first: ${cell}`);
  for (const cell of onlySecond) console.log(`only in the second: ${cell}`);
  console.log(`\n${counts.better} better, ${counts.worse} worse, ${counts.within} within the noise`);
  if (counts.unknown > 0) console.log(`${counts.unknown} cannot be judged: fewer than three rounds`);
}
