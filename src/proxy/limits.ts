// Bounds of the request path, named once.

/** Longest WebSocket message put together from fragments, unless an entry point says otherwise; a longer one is 1009. */
export const maxMessageBytes: number = 16 * 1024 * 1024;
/** Bytes beside one longest message that wait for one side of a tunnel before the tunnel is closed. */
export const tunnelSlack: number = 1024 * 1024;
/** Bytes waiting for one side of a tunnel before the other side is held back. */
export const tunnelHighWater: number = 256 * 1024;
/** Header section of a server's answer, bytes. */
export const maxResponseHeaderBytes: number = 256 * 1024;
/** Request bodies up to this many bytes are read whole before a server is asked, so that they can be replayed. */
export const replayableBodyBytes: number = 16 * 1024;
/** Servers that one request is offered to, the first included. */
export const maxServerAttempts = 3;
/** Open connections to one server; requests beyond wait. */
export const maxConnectionsPerServer = 4096;
/** Body of a server's refusal of a WebSocket handshake that is passed on, bytes. */
export const maxRefusalBytes: number = 1024 * 1024;
