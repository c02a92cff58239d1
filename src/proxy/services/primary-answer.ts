// An answer of the primary's, in the form of an Exchange's.

import type { ApiAnswer } from '../../model/ipc.ts';
import type { HeaderList } from '../headers.ts';

/** Names in lower case; the body as bytes where it came as base64. */
export function readAnswer({ headers, body, encoding }: ApiAnswer): {
  readonly headers: HeaderList;
  readonly body: string | Buffer;
} {
  return {
    headers: headers.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)),
    body: encoding === undefined ? body : Buffer.from(body, encoding),
  };
}
