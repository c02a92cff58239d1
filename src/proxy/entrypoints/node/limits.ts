// Bounds of the node engine.

/** Requests of one connection that wait for their turn; a client that sends more is cut off. */
export const maxPipelined = 128;
/** Milliseconds a client that has closed its half may be sent nothing before its connection ends. */
export const halfClosedSilence = 30_000;
/** Milliseconds for the first bytes of a connection where the entry point has no `readTimeout`. */
export const firstBytesTimeout = 60_000;
/** Milliseconds between two looks at slow heads: how late their timeout may come. */
export const slowHeadsEvery = 1_000;

/** Streams that one HTTP/2 client may have open at once, unless the entry point says otherwise. */
export const maxConcurrentStreams = 250;
/** Streams a client may call off within one second (CVE-2023-44487). */
export const maxResetsPerSecond = 200;
/** SETTINGS, PING and other frames that ask for an answer, within one second. */
export const maxControlFramesPerSecond = 100;
/** Header lines of one request; of HTTP/2 with its pseudo-headers. */
export const maxHeaderPairs = 1_024;
/** MB that Node lets one HTTP/2 session keep. */
export const maxSessionMemory = 10;

/** Bytes of a streamed piece that a pooled buffer holds; longer ones get a buffer of their own. */
export const pooledPieceBytes: number = 64 * 1024;
/** Buffers kept for the next piece: 4 MiB. */
export const maxPooledPieces = 64;
