// Bounds of the node engine.

/** Requests of one connection that wait for their turn; a client that sends more is cut off. */
export const maxPipelined = 128;
/**
 * Milliseconds a client that has closed its half may be sent nothing before its connection ends. Nearly all who do
 * that are gone altogether, and what runs for them holds a server; the few others want a short answer.
 */
export const halfClosedSilence = 1_000;
/** Milliseconds for the first bytes of a connection where the entry point has no timeout for heads. */
export const firstBytesTimeout = 60_000;
/** Milliseconds a TLS client has for its hello, and again for what is left of the handshake. */
export const handshakeTimeout = 10_000;
/** TLS handshakes that may be on their way in one worker; the oldest is cut when there are more. */
export const maxHandshakes = 4_096;
/** TLS servers kept ready, one for each pair of certificate and options; each takes 32 KB and a fifth of a millisecond to make. */
export const maxTlsServers = 2_000;
/** Milliseconds between two looks at slow heads: how late their timeout may come. */
export const slowHeadsEvery = 1_000;

/** Streams that one HTTP/2 client may have open at once, unless the entry point says otherwise. */
export const maxConcurrentStreams = 250;
/** Streams a client may call off within one second (CVE-2023-44487). */
export const maxResetsPerSecond = 200;
/** SETTINGS, PING and other frames that ask for an answer, within one second. */
export const maxControlFramesPerSecond = 100;
/** Bytes within one second that are neither a body nor a request: 300,000 of the smallest frames. */
export const maxIdleBytesPerSecond: number = 4 * 1024 * 1024;
/** Bytes that one request may bring beside its body. */
export const requestAllowance: number = 16 * 1024;
/** Header lines of one request; of HTTP/2 with its pseudo-headers. */
export const maxHeaderPairs = 1_024;
/** Milliseconds a client may take to read the frame that ends its HTTP/2 session. */
export const lastWordsTimeout = 5_000;
/** Milliseconds in which nothing need move on an HTTP/2 session that was told to end, and PING is not answered. */
export const maxEndingSilence = 30_000;
/** MB that Node lets one HTTP/2 session keep. */
export const maxSessionMemory = 10;

/** Bytes of a streamed piece that a pooled buffer holds; longer ones get a buffer of their own. */
export const pooledPieceBytes: number = 64 * 1024;
/** Buffers kept for the next piece: 4 MiB. */
export const maxPooledPieces = 64;
