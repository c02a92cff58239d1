// POST /api/portcullis/auth-cache/purge: forget cached auth decisions, everywhere, before answering.

import type { ApiAnswer, ApiRequest, PurgeSelector } from '../../model/ipc.ts';
import { readSelector } from '../../state/purge-text.ts';
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
