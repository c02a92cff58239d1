// POST /api/portcullis/auth-cache/purge: forget cached auth decisions, everywhere, before answering.

import type { ApiAnswer, ApiRequest, PurgeSelector } from '../../model/ipc.ts';
import { failure, json } from './answers.ts';

const maxBody = 64 * 1024;

export async function purge(
  request: ApiRequest,
  purgeAll: (selector: PurgeSelector) => Promise<number>,
): Promise<ApiAnswer> {
  // A form or a plain fetch of a foreign page cannot send this type without asking first.
  if (!/^application\/json\s*(;|$)/i.test(request.contentType.trim())) {
    return failure(415, 'Content-Type must be application/json');
  }
  if (Buffer.byteLength(request.body) > maxBody) return failure(413, `at most ${maxBody} bytes`);
  const selector = readSelector(request.body);
  if (selector === null) {
    return failure(
      400,
      'expected {"by":"all"}, {"by":"token","token":…} or {"by":"header","name":…,"value":…}',
    );
  }
  try {
    return json({ purged: await purgeAll(selector) });
  } catch (error) {
    return failure(503, error instanceof Error ? error.message : 'not every worker has confirmed');
  }
}

/** Null when the text is none of the three; the text itself is never repeated: it may hold a token. */
export function readSelector(text: string): PurgeSelector | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('by' in value)) return null;
  if (value.by === 'all') return { by: 'all' };
  if (value.by === 'token' && 'token' in value && isText(value.token)) {
    return { by: 'token', token: value.token };
  }
  if (value.by !== 'header' || !('name' in value) || !('value' in value)) return null;
  if (!isText(value.name) || typeof value.value !== 'string') return null;
  return { by: 'header', name: value.name, value: value.value };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
