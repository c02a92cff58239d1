// The bytes of API answers, as Go's encoder and Traefik's error handler write them.

import type { ApiAnswer } from '../../model/ipc.ts';
import { maxApiAnswerBytes } from '../limits.ts';
import { mapInSlices } from './slices.ts';

const jsonHeaders = ['Content-Type', 'application/json'] as const;
const textHeaders = [
  'Content-Type',
  'text/plain; charset=utf-8',
  'X-Content-Type-Options',
  'nosniff',
] as const;

export function json(value: unknown, extra: readonly string[] = []): ApiAnswer {
  return jsonText(jsonOf(value), extra);
}

/** A list, item by item. */
export async function jsonList(items: readonly unknown[], extra: readonly string[] = []): Promise<ApiAnswer> {
  return jsonText(`[${(await mapInSlices(items, jsonOf)).join(',')}]`, extra);
}

/** Text that is JSON already, and has no characters of HTML. */
export function jsonText(text: string, extra: readonly string[] = []): ApiAnswer {
  if (text.length >= maxApiAnswerBytes)
    return failure(500, 'the answer is too large, ask for one page of a list');
  return { status: 200, headers: [...jsonHeaders, ...extra], body: `${text}\n` };
}

/** `<`, `>` and `&` are escaped: safe inside a script element, and what clients of Go's encoder are used to. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value).replace(
    /[&<>\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function failure(status: number, message: string, extra: readonly string[] = []): ApiAnswer {
  return { status, headers: [...textHeaders, ...extra], body: `${jsonOf({ message })}\n` };
}

export function notFound(): ApiAnswer {
  return { status: 404, headers: textHeaders, body: '404 page not found\n' };
}

export function methodNotAllowed(allow: string): ApiAnswer {
  return { status: 405, headers: ['Allow', allow], body: '' };
}

export function redirect(location: string): ApiAnswer {
  return { status: 302, headers: ['Location', location], body: '' };
}

/** Milliseconds as Go prints a duration in Traefik's JSON: `1m30s`, `100ms`. */
export function goDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  const sign = milliseconds < 0 ? '-' : '';
  const total = Math.abs(milliseconds);
  if (total < 1000) return `${sign}${total}ms`;
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor((total % 3_600_000) / 60_000);
  const seconds = (total % 60_000) / 1000;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}
