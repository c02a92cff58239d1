// PEM texts of the static configuration: written there, or in a file. The primary reads them, and workers get the text:
// they may run as a user who may not.

import { readText } from '../../util/read-text.ts';

/** Bytes of one PEM file. */
const maxPem = 1024 * 1024;

/** Null: it is neither a PEM text nor a file that holds one. */
export function readPem(value: string): string | null {
  if (value.includes('-----BEGIN')) return value;
  try {
    const text = readText(value, maxPem);
    return text.includes('-----BEGIN') ? text : null;
  } catch {
    return null;
  }
}
