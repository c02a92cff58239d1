// What was purged, as text: in requests to the API, in messages between nodes, in the list of purges.

import type { PurgeSelector } from '../model/ipc.ts';
import type { Sealing } from './sealing.ts';

/** Characters of a text that is looked at. */
export const maxPurgeText: number = 64 * 1024;

/** What sealed selectors are sealed for. */
const place = 'purge';

/** Null when the text is none of the three; the text itself must never be repeated: it may hold a token. */
export function readSelector(text: string): PurgeSelector | null {
  const value = readObject(text);
  return value === null ? null : selectorOf(value);
}

export function readObject(text: string): Readonly<Record<string, unknown>> | null {
  if (text.length > maxPurgeText) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function selectorOf(value: Readonly<Record<string, unknown>>): PurgeSelector | null {
  const { by, token, name, value: wanted } = value;
  if (by === 'all') return { by };
  if (by === 'token' && isText(token)) return { by, token };
  if (by === 'header' && isText(name) && typeof wanted === 'string') return { by, name, value: wanted };
  return null;
}

/** For all to keep, and only nodes to read. */
export function sealSelector(selector: PurgeSelector, sealing: Sealing): string {
  return sealing.seal(JSON.stringify(selector), place);
}

export function openSelector(sealed: string, sealing: Sealing): PurgeSelector | null {
  const text = sealed.length > 2 * maxPurgeText ? null : sealing.open(sealed, place);
  return text === null ? null : readSelector(text);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
