// How Redis is reached.

export interface RedisSettings {
  /** The seeds of a cluster, the sentinels, or the one server; never empty. */
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | null;
  /** A secret: never logged, never shown. */
  readonly password: string | null;
  readonly db: number;
  /** Null: without TLS. PEM texts. */
  readonly tls: {
    readonly ca: readonly string[];
    readonly cert: string | null;
    readonly key: string | null;
    readonly insecureSkipVerify: boolean;
  } | null;
  /** Null: `endpoints` are no sentinels. */
  readonly sentinel: {
    readonly masterName: string;
    readonly username: string | null;
    readonly password: string | null;
  } | null;
  readonly cluster: boolean;
  /** Before every key; `portcullis` unless written. */
  readonly keyPrefix: string;
}
