// What all requests that change something have in common: how they are refused, and what their failure says.

import type { ApiAnswer, ApiRequest } from '../../model/ipc.ts';
import { messageOf } from '../../util/message-of.ts';
import { failure } from './answers.ts';

/** Null: it is JSON, and `maxBytes` long at most. */
export function refusalOf({ contentType, body }: ApiRequest, maxBytes: number): ApiAnswer | null {
  // A form or a plain fetch of a foreign page cannot send this type without asking first.
  if (!/^application\/json\s*(;|$)/i.test(contentType.trim()))
    return failure(415, 'Content-Type must be application/json');
  return Buffer.byteLength(body) > maxBytes ? failure(413, `at most ${maxBytes} bytes`) : null;
}

/** For what has been begun and was not confirmed by every worker. */
export function unconfirmed(error: unknown): ApiAnswer {
  return failure(503, messageOf(error));
}
