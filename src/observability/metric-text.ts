// Pieces of the text that Prometheus reads: names, labels, values.

import type { MetricName } from './names.ts';

/** HELP and TYPE lines. */
export function head({ name, help, type }: MetricName): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** `a="x",b="y"`, values escaped; empty for none. */
export function labelsText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) {
    text += `${i === 0 ? '' : ','}${names[i]}="${escapeLabel(values[i] ?? '')}"`;
  }
  return text;
}

/** `name{labels} value` and a line feed; the braces are left out when there are no labels. */
export function line(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${number(value)}\n` : `${name}{${labels}} ${number(value)}\n`;
}

/** As the exposition format has it, infinities and NaN too. */
export function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** The exposition format escapes these three alone. A lone surrogate would be no UTF-8. */
function escapeLabel(value: string): string {
  if (!/[\\"\n\ud800-\udfff]/.test(value)) return value;
  return value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
