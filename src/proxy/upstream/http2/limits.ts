// Bounds of the HTTP/2 client. What one server may hold besides is in `proxy/limits.ts`.

/** Connections of one worker to one server. */
export const maxConnections = 64;
/** Of them those that one call has to itself for a while. */
export const maxReserved = 32;
/** Calls on one connection, however many more its server would take. */
export const maxStreamsPerConnection = 250;
/** Calls a connection gets before its server's settings are known; what RFC 9113 §6.5.2 wants as a least. */
export const assumedStreams = 100;
/** Calls of one worker to one server that wait for a place; more are refused. */
export const maxWaitingCalls = 4_096;
/** Calls after which a connection is replaced: stream identifiers are used up after 2^30. */
export const maxCallsPerConnection = 1_000_000_000;
/**
 * Bytes a server may send on one stream, and on a connection, before we have taken them. The first is what a
 * client that does not read can make us hold.
 */
export const streamWindowBytes: number = 128 * 1024;
export const connectionWindowBytes: number = 1024 * 1024;
/**
 * Bytes of one frame a server may send. The library takes a header section in at most nine frames, so this is
 * what lets one of 256 KiB through.
 */
export const maxFrameBytes: number = 64 * 1024;
/** Lines in the header section of an answer. */
export const maxHeaderLines = 2_048;
/** Answers 1xx before the answer itself. */
export const maxInformational = 16;
/** Trailer section, bytes. */
export const maxTrailerBytes: number = 16 * 1024;
/**
 * One field of a request, bytes, and all of them. HPACK decoders commonly take no string above 64 KiB, and a
 * server that cannot decode one header section must end the connection, with everybody else's calls on it.
 */
export const maxFieldBytes: number = 60 * 1024;
export const maxRequestHeaderBytes: number = 1024 * 1024;
/** Memory of one connection as `node:http2` counts it, megabytes: what all windows together can hold, and headers. */
export const sessionMegabytes = 64;
/** Milliseconds until a server that chose HTTP/1.1 is asked about HTTP/2 again. */
export const askAgainAfter = 60_000;
