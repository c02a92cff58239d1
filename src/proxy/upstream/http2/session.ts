// What we tell the library, and through it the server, about a connection.

import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { maxResponseHeaderBytes } from '../../limits.ts';
import type { Http2Dialler } from './dial.ts';
import * as limits from './limits.ts';

/** `socket` stands; the session does once it says `connect`. */
export function openSession(socket: Socket, { scheme, authority }: Http2Dialler): ClientHttp2Session {
  return connect(`${scheme}://${authority}`, {
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
}
