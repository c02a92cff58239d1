// Bounds of the HTTP/1.1 client. What one server may hold is in `proxy/limits.ts`.

/** Calls of one worker to one server that wait for a connection; more are refused. */
export const maxWaitingCalls = 4_096;
/**
 * Bytes read from a socket at once, into memory all connections share. Four times as many make a large download
 * a quarter cheaper in CPU time, but take a worker to 170 MB where this one stays below 150.
 */
export const readBufferBytes: number = 64 * 1024;
/** Whole request bodies up to this many bytes leave in one buffer with their head. */
export const oneWriteBytes: number = 16 * 1024;
/** Answers 1xx before the answer itself. */
export const maxInformational = 16;
/** Lines in the header section of an answer. */
export const maxHeaderLines = 2_048;
/** Size and extensions of one chunk, bytes. */
export const maxChunkLineBytes = 1_024;
/** Trailer section, bytes: it is read and dropped. */
export const maxTrailerBytes: number = 16 * 1024;
/** Digits of a Content-Length or of a chunk's size; the value is at most 2^53 - 1 besides. */
export const maxLengthDigits = 16;
/** Heads cut within this many bytes are looked at on every read, so that garbage is told at once. */
export const eagerHeadBytes = 512;
/** Milliseconds between two looks at a pool's deadlines. */
export const tickBounds = { least: 10, most: 500 } as const;
/** Milliseconds taken off a server's `Keep-Alive: timeout`, so that it is us who close first. */
export const keepAliveMargin = 1_000;
