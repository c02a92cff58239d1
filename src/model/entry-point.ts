// Entry points as the primary resolved them: plain data that travels to the workers at their start.

/** Which listener implementation serves an entry point. */
export type Engine = 'uws' | 'node';

export type UnderscoreHeadersStrategy = 'keep' | 'delete' | 'reject';

/** Percent-encoded characters that may stand in a path; `false` answers 400. */
export interface EncodedCharacters {
  readonly slash: boolean;
  readonly backSlash: boolean;
  readonly nullCharacter: boolean;
  readonly semicolon: boolean;
  readonly percent: boolean;
  readonly questionMark: boolean;
  readonly hash: boolean;
}

export interface EntryPointSpec {
  readonly name: string;
  /** Empty: every address of the machine. */
  readonly host: string;
  readonly port: number;
  /** `auto`: what its routers need decides, see `ListenerSpec`. */
  readonly engine: Engine | 'auto';
  readonly asDefault: boolean;
  readonly forwardedHeaders: {
    readonly insecure: boolean;
    readonly trustedIPs: readonly string[];
    /** Header names a client may list in `Connection` and still have passed on; lower case. */
    readonly connection: readonly string[];
    readonly notAppendXForwardedFor: boolean;
  };
  /** Milliseconds throughout; 0 means none. */
  readonly transport: {
    readonly requestAcceptGraceTimeout: number;
    readonly graceTimeOut: number;
    readonly readTimeout: number;
    readonly writeTimeout: number;
    readonly idleTimeout: number;
    readonly keepAliveMaxTime: number;
    readonly keepAliveMaxRequests: number;
    /** For the head of a request; absent: `readTimeout` alone. */
    readonly readHeaderTimeout?: number;
    /** Bytes a second of a request's body; absent: none. */
    readonly minBodyRate?: number;
  };
  readonly http: {
    /** Qualified names, prepended to the middlewares of every router on this entry point. */
    readonly middlewares: readonly string[];
    /** For routers without a `tls` section of their own; they are then on the TLS side only. */
    readonly tls: RouterTls | null;
    readonly sanitizePath: boolean;
    /** Bytes. */
    readonly maxHeaderBytes: number;
    /** Of a WebSocket message, where messages are read; absent: 16 MiB. */
    readonly maxWebSocketMessage?: number;
    readonly underscoreHeadersStrategy: UnderscoreHeadersStrategy;
    readonly encodeQuerySemicolons: boolean;
    readonly encodedCharacters: EncodedCharacters;
    readonly redirection: RedirectionSpec | null;
  };
  /** For the node engine; absent: its defaults. */
  readonly http2?: Http2Spec;
  readonly accessLogs: boolean;
  /** Absent: requests are counted. */
  readonly metrics?: false;
  /** Absent: requests are traced, with few spans each. */
  readonly tracing?: false;
  readonly traceVerbosity?: 'detailed';
  /** Absent: nobody but the gateway answers http-01 here. */
  readonly allowAcmeByPass?: true;
}

export interface Http2Spec {
  readonly maxConcurrentStreams: number;
  /** Bytes. */
  readonly maxDecoderHeaderTableSize: number;
  readonly maxEncoderHeaderTableSize: number;
}

export interface RouterTls {
  /** Qualified, or as an entry point's own words have it; null: the default ones. */
  readonly options: string | null;
  readonly certResolver: string | null;
  /** What to order certificates for, one each; absent: the hosts of the rule. */
  readonly domains?: readonly DomainNames[];
}

export interface DomainNames {
  readonly main: string;
  readonly sans: readonly string[];
}

export interface RedirectionSpec {
  /** An entry point's name, or `:port`. */
  readonly to: string;
  readonly scheme: string;
  readonly permanent: boolean;
  readonly priority: bigint;
}
