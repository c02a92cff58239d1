// An answer's header list on its way to Node: what belongs to the connection is the engine's to say.

import type { HeaderList } from '../../headers.ts';

const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** A copy without the fields of the connection; `length` as Content-Length unless it is null. */
export function answerFields(headers: HeaderList, length: number | null): string[] {
  const fields: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!ofConnection.has(name)) fields.push(name, headers[i + 1] as string);
  }
  if (length !== null) fields.push('content-length', String(length));
  return fields;
}

/** What a bodyless answer says its body would be; null says nothing. */
export function reportedLength(headers: HeaderList, status: number): number | null {
  if (status === 204 || status < 200) return null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'content-length') return Number(headers[i + 1]);
  }
  return null;
}
