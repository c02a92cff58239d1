// What the answer to a handshake says of sessions, before the response hooks see it.

import type { Exchange } from '../exchange.ts';
import { addSetCookie } from '../services/sticky-cookie.ts';

/** Shows the answer to those who asked to see it, and pins the client to its server by cookie. Holds nothing back. */
export function pin(x: Exchange): void {
  if (x.answerNotes !== null) for (const note of x.answerNotes) void note.answered(x);
  if (x.stickyCookies !== null) for (const line of x.stickyCookies) addSetCookie(x.responseHeaders, line);
}
