// Traces, as the static configuration wants them and as routers and entry points switch them.

/** `tracecontext` is W3C's; `b3` is its form in one header, `b3multi` the one in several. */
export type Propagator = 'tracecontext' | 'b3' | 'b3multi';

export type TraceVerbosity = 'minimal' | 'detailed';

export interface TracingSettings {
  /** What every span says of this gateway, `service.name` included. */
  readonly resource: Readonly<Record<string, string>>;
  /** Lower case. */
  readonly capturedRequestHeaders: readonly string[];
  readonly capturedResponseHeaders: readonly string[];
  /** Query parameters whose values are shown; all others are redacted. */
  readonly safeQueryParams: readonly string[];
  /** 0 to 1: of the requests that come without a decision of their client's. */
  readonly sampleRate: number;
  readonly addInternals: boolean;
  /** What is read of requests, the first that is there; and what servers are told, all of it. */
  readonly propagators: readonly Propagator[];
  readonly collector: CollectorSettings;
}

export interface CollectorSettings {
  readonly protocol: 'http' | 'grpc';
  /** With path for `http`. */
  readonly url: string;
  /** Secrets: never log them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the machine's authorities. */
  readonly tls: CollectorTls | null;
}

/** PEM texts, empty for none. */
export interface CollectorTls {
  readonly ca: string;
  readonly cert: string;
  /** A secret: never log it. */
  readonly key: string;
  readonly insecureSkipVerify: boolean;
}
