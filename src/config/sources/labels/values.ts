// Values of labels that are surely not meant as they stand.

import type { Diagnostic, Place } from '../../../model/diagnostic.ts';

/** Quotes that were meant for YAML or a shell and became part of the value; null when there are none. */
export function quotedValue(value: string, where: Place): Diagnostic | null {
  const text = value.trim();
  const first = text[0];
  if (text.length < 2 || (first !== '"' && first !== "'") || !text.endsWith(first)) return null;
  return {
    severity: 'warning',
    code: 'config.label_quotes',
    message: `the value stands in ${first === '"' ? 'double' : 'single'} quotes, which are part of it`,
    where,
    hint: 'remove the quotes, or put them around the whole: - "name=value"',
  };
}
