// Keeps the native part of an HTTP/2 session for as long as that of a stream on it.

import type { Http2Session, Http2Stream } from 'node:http2';

/**
 * A stream on which a header section was begun and never ended holds memory of its session, and when the garbage
 * collector takes the session first, Node ends the whole process: whoever speaks HTTP/2 to us, client or server,
 * could do that with two frames. To be called once for each stream, as soon as it is there. A registry holds its
 * values until their targets are gone, and nothing else of it is wanted: that puts them in order.
 */
export function outliveStream(stream: Http2Stream, session: Http2Session): void {
  key ??= Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle') ?? null;
  if (key === null) return;
  const target = (stream as unknown as Hidden)[key];
  if (typeof target === 'object' && target !== null)
    sessions.register(target, (session as unknown as Hidden)[key]);
}

type Hidden = Readonly<Record<symbol, unknown>>;

/** Where the library keeps native parts, of both; null: this Node has no such place. */
let key: symbol | null | undefined;
/** As many as there are native streams. */
const sessions: FinalizationRegistry<unknown> = new FinalizationRegistry(() => {});
