// The ends of a stream's two directions, told apart from resets: `node:http2` blurs both.

import type { ClientHttp2Stream } from 'node:http2';

/**
 * Calls `onEnd` when the server has ended the stream: END_STREAM. `node:http2` says `end` for RST_STREAM with
 * NO_ERROR as well, so that half a body without Content-Length would pass for a whole one. What tells them
 * apart is whether the stream is closed already when the end is pushed.
 */
export function watchEnd(stream: ClientHttp2Stream, onEnd: () => void): void {
  const push = stream.push;
  stream.push = function pushed(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null && !stream.closed) onEnd();
    return push.call(stream, chunk, encoding);
  };
}

/**
 * Lets END_STREAM leave only when `isWhole` says that all of the request's body has. On its way to RST_STREAM the
 * library ends its side first, so that a server would take an upload which its client broke off for a whole one.
 */
export function guardEnd(stream: ClientHttp2Stream, isWhole: () => boolean): void {
  const final = stream._final;
  stream._final = function ended(done: (error?: Error | null) => void): void {
    if (isWhole()) final.call(stream, done);
    else done();
  };
}
