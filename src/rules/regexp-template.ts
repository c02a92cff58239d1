// Replacement texts as Go's regexp.Expand reads them.

export type TemplatePart = string | number;

/**
 * Text parts and group numbers, in order. Unknown names and numbers are empty; a `$` that begins no
 * name stands for itself.
 */
export function parseTemplate(
  template: string,
  names: ReadonlyMap<string, number>,
  groupCount: number,
): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let rest = template;
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar === -1) break;
    if (dollar > 0) parts.push(rest.slice(0, dollar));
    rest = rest.slice(dollar);
    if (rest.startsWith('$$')) {
      parts.push('$');
      rest = rest.slice(2);
      continue;
    }
    const reference = /^\$(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u.exec(rest);
    if (reference === null) {
      parts.push('$');
      rest = rest.slice(1);
      continue;
    }
    rest = rest.slice(reference[0].length);
    const group = groupOf(reference[1] ?? reference[2] ?? '', names);
    if (group <= groupCount && group >= 0) parts.push(group);
  }
  if (rest !== '') parts.push(rest);
  return parts;
}

export function expandTemplate(
  parts: readonly TemplatePart[],
  match: { group(index: number): string },
): string {
  let out = '';
  for (const part of parts) out += typeof part === 'string' ? part : match.group(part);
  return out;
}

function groupOf(name: string, names: ReadonlyMap<string, number>): number {
  if (/^[0-9]{1,8}$/.test(name)) return Number(name);
  return names.get(name) ?? -1;
}
