// What the access log is told of one Exchange. The request path fills one such object again and again:
// nothing of it is kept after `write` returns.

export interface AccessRecord {
  /** Milliseconds since the epoch, with fractions. */
  startedAt: number;
  /** Milliseconds. */
  durationMs: number;
  /** Milliseconds with the server; -1 when none was asked. */
  originMs: number;
  originStatus: number;
  /** Body bytes the server sent. */
  originBytes: number;
  status: number;
  /** Body bytes to and from the client. */
  bytesOut: number;
  bytesIn: number;
  retries: number;
  entryPoint: string;
  /** Null when no router matched. */
  routerName: string | null;
  serviceName: string | null;
  /** Scheme, host and port of the server; null when none was picked. */
  serverUrl: string | null;
  /** Address and port of the TCP peer; port 0 is unknown. */
  peer: string;
  peerPort: number;
  /** The first X-Forwarded-For line as the entry point left it, else null. */
  forwardedFor: string | null;
  username: string | null;
  /** Hexadecimal; null for a request that is not traced. */
  traceId: string | null;
  spanId: string | null;
  method: string;
  scheme: string;
  /** `HTTP/1.1`. */
  protocol: string;
  /** The Host header. */
  authority: string;
  /** As the client sent it, after the entry point's clean-up and before any middleware. */
  path: string;
  /** `?a=b`, or empty. */
  search: string;
  /** Null on cleartext; `1.2`, `1.3`. */
  tlsVersion: string | null;
  tlsCipher: string | null;
  tlsClientSubject: string | null;
  /** Flat name (lower case), value. */
  requestHeaders: readonly string[];
  responseHeaders: readonly string[];
  /** The server's own; null when they were not kept. */
  originHeaders: readonly string[] | null;
}

/** What a listener knows of a request's TLS connection; made once for each connection. */
export interface TlsFacts {
  /** `1.3`. */
  readonly version: string;
  /** By its standard name: `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** Of the certificate the client has shown: `CN=alice,O=Acme`; null without one. */
  readonly clientSubject: string | null;
  /** Version and cipher as metrics count them, see `tlsTerms`. */
  readonly terms: number;
}

/** A record to fill: every field has its final type from the start. */
export function createAccessRecord(): AccessRecord {
  return {
    startedAt: 0.5,
    durationMs: 0.5,
    originMs: -1.5,
    originStatus: 0,
    originBytes: 0,
    status: 0,
    bytesOut: 0,
    bytesIn: 0,
    retries: 0,
    entryPoint: '',
    routerName: null,
    serviceName: null,
    serverUrl: null,
    peer: '',
    peerPort: 0,
    forwardedFor: null,
    username: null,
    traceId: null,
    spanId: null,
    method: '',
    scheme: '',
    protocol: '',
    authority: '',
    path: '',
    search: '',
    tlsVersion: null,
    tlsCipher: null,
    tlsClientSubject: null,
    requestHeaders: [],
    responseHeaders: [],
    originHeaders: null,
  };
}
