// The findings as people and as programs read them.

import { styleText } from 'node:util';
import { printable } from '../top/words.ts';
import type { Examined, Level } from './finding.ts';

const styles = { ok: 'green', info: 'cyan', warning: 'yellow', error: 'red' } as const;
const levelWidth = 9;
/** Characters of one line; what servers and files say is in it. */
const longest = 400;

export function asText(examined: readonly Examined[], color: boolean): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const areaWidth = Math.max(0, ...examined.map(({ area }) => area.length)) + 2;
  const indent = ' '.repeat(levelWidth + areaWidth);
  let out = '';
  for (const { area, findings } of examined) {
    let name = area;
    for (const { level, says, fix } of findings) {
      out += `${paint(styles[level], level.padEnd(levelWidth))}${name.padEnd(areaWidth)}${printable(says, longest)}\n`;
      if (fix !== undefined) out += `${indent}${paint('dim', `→ ${printable(fix, longest)}`)}\n`;
      name = '';
    }
  }
  const { error, warning, ok } = counts(examined);
  const summary = `${plural(error, 'error')}, ${plural(warning, 'warning')}, ${ok} well`;
  return `${out}\n${paint(error > 0 ? 'red' : warning > 0 ? 'yellow' : 'green', summary)}\n`;
}

export function asJson(examined: readonly Examined[]): string {
  const findings = examined.flatMap(({ area, findings: found }) =>
    found.map((finding) => ({ area, ...finding })),
  );
  return `${JSON.stringify({ ...counts(examined), findings }, null, 2)}\n`;
}

function counts(examined: readonly Examined[]): Record<Level, number> {
  const sum = { error: 0, warning: 0, info: 0, ok: 0 };
  for (const { findings } of examined) for (const { level } of findings) sum[level] += 1;
  return sum;
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
