// A soak as a page of Markdown.

import { judgeFailures } from './ledger.ts';
import { allowances } from './plan.ts';
import type { SoakResult } from './soak.ts';

export function toMarkdown(result: SoakResult): string {
  const { checks, ledger, samples } = result;
  const { alien, allowed } = judgeFailures(ledger.failures, ledger.happened, allowances);
  const events = [...new Set(ledger.happened.map(({ event }) => event))];
  const mark = (ok: boolean | null): string => (ok === null ? 'cannot be told' : ok ? 'yes' : '**no**');
  return [
    `# Soak: ${result.passed ? 'passed' : 'FAILED'}${result.isInterrupted ? ' (interrupted)' : ''}`,
    '',
    `${result.minutes.toFixed(1)} minutes, begun ${result.startedAt}; ${result.perSecond.toFixed(0)} requests a second; ${samples.length} looks; ${result.cpuPerRequest.toFixed(0)} µs of CPU time per request (both gateways, all processes).`,
    ...(result.error === null ? [] : ['', `It broke off: ${result.error}`]),
    '',
    ...table(
      ['bound', 'allowed', 'seen', 'kept'],
      checks.map((one) => [one.what, one.bound, one.seen, mark(one.ok)]),
    ),
    '',
    ...table(
      ['requests', 'answered', 'failed', 'asked again', 'slowest, ms'],
      [...ledger.counts.values()].map((one) => [
        one.kind,
        one.answered,
        one.failed,
        one.repeated,
        Math.round(one.slowest),
      ]),
    ),
    '',
    ...table(
      ['what happened', 'times', 'longest, ms'],
      events.map((event) => {
        const all = ledger.happened.filter((one) => one.event === event);
        return [event, all.length, Math.round(Math.max(...all.map((one) => one.ended - one.begun)))];
      }),
    ),
    '',
    ...table(
      ['failures allowed', 'because', 'in all', 'most at once', 'allowed at once'],
      allowed.map(({ allowance, total, most }) => [
        `${allowance.event}: ${allowance.what.source.replaceAll('|', ', ')}`,
        allowance.why,
        total,
        most,
        allowance.most,
      ]),
    ),
    ...(alien.length === 0 ? [] : ['', 'Failures that are not allowed (the first 50):', '']),
    ...alien.slice(0, 50).map((one) => {
      const last = ledger.happened.filter((event) => event.begun <= one.at).at(-1);
      const since =
        last === undefined ? '' : `, ${Math.round(one.at - last.begun)} ms after the begin of ${last.event}`;
      return `- ${((one.at - result.begun) / 1000).toFixed(1)} s: ${one.kind} on ${one.node}: ${one.what}${since}`;
    }),
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
