// What we tell the library, and through it the server, about a connection.

import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { maxResponseHeaderBytes } from '../../limits.ts';
import type { Http2Dialler } from './dial.ts';
import * as limits from './limits.ts';

export interface OpenSession {
  readonly session: ClientHttp2Session;
  /** Gracefully, which nobody else does: see `keepOpen`. */
  readonly close: () => void;
}

/** `socket` stands; the session does once it says `connect`. */
export function openSession(socket: Socket, { scheme, authority }: Http2Dialler): OpenSession {
  const session = connect(`${scheme}://${authority}`, {
    createConnection: () => socket,
    settings: {
      enablePush: false,
      initialWindowSize: limits.streamWindowBytes,
      maxFrameSize: limits.maxFrameBytes,
      maxHeaderListSize: maxResponseHeaderBytes,
    },
    maxHeaderListPairs: limits.maxHeaderLines,
    maxSendHeaderBlockLength: limits.maxRequestHeaderBytes * 2,
    maxSessionMemory: limits.sessionMegabytes,
    peerMaxConcurrentStreams: limits.maxStreamsPerConnection,
    // What a client may say twice is for the server to judge, as over HTTP/1.1.
    ...({ strictSingleValueFields: false } as object),
  });
  return { session, close: keepOpen(session) };
}

/**
 * With GOAWAY the library begins to close a session, and when the server breaks the protocol after that it tells
 * nobody: it reads no more, so that not even the connection's end is seen, and what is under way waits for ever.
 * While it has not begun to close it tells both. What closes a session instead is returned.
 */
function keepOpen(session: ClientHttp2Session): () => void {
  const close = session.close;
  session.close = function ignored(): void {};
  return () => close.call(session);
}
