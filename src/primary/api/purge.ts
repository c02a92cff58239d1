// POST /api/portcullis/auth-cache/purge: forget cached auth decisions, everywhere, before answering.

import type { ApiAnswer, ApiRequest, PurgeSelector } from '../../model/ipc.ts';
import { readSelector } from '../../state/purge-text.ts';
import { failure, json } from './answers.ts';
import { refusalOf, unconfirmed } from './posted.ts';

const maxBody = 64 * 1024;

export async function purge(
  request: ApiRequest,
  purgeAll: (selector: PurgeSelector) => Promise<number>,
): Promise<ApiAnswer> {
  const refusal = refusalOf(request, maxBody);
  if (refusal !== null) return refusal;
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
    return unconfirmed(error);
  }
}
