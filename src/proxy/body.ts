// A request's body on its way from the client: pushed by the listener, pulled with back-pressure.

/** Receives a body. Chunks belong to the receiver. */
export interface BodySink {
  /** False: hold back until `body.resume()`. */
  data(chunk: Uint8Array): boolean;
  end(): void;
  /** The client went away, or sent more than it said. */
  abort(): void;
}

export interface RequestBody {
  /** Bytes by Content-Length; null for a chunked body. */
  readonly length: number | null;
  /** Bytes so far. */
  readonly received: number;
  /** Begins the flow into `sink`; once only. */
  pipe(sink: BodySink): void;
  /** Somebody has begun to take it: what was not collected cannot be had again. */
  readonly isPiped: boolean;
  resume(): void;
  /**
   * Reads the whole body and keeps it, so that a later `pipe` replays it. Resolves to null when it is
   * longer than `maxBytes` (nothing is kept then) and rejects when the client goes away.
   */
  collect(maxBytes: number): Promise<Uint8Array | null>;
  /** The whole body, once collected. */
  readonly collected: Uint8Array | null;
  /** Reads and drops what is left. */
  discard(): void;
}
