// Certificates by ACME: what resolvers are told, what routers ask for, what can be seen of it.

export type KeyType = 'EC256' | 'EC384' | 'RSA2048' | 'RSA4096' | 'RSA8192';

/** `certificatesResolvers.<name>.acme`. Times in milliseconds. */
export interface ResolverSettings {
  readonly name: string;
  /** Empty: the account has no address. */
  readonly email: string;
  readonly caServer: string;
  /** Path of `acme.json`; several resolvers may share one. */
  readonly storage: string;
  readonly keyType: KeyType;
  readonly eab: { readonly kid: string; readonly hmac: string } | null;
  readonly preferredChain: string | null;
  readonly profile: string | null;
  readonly emailAddresses: readonly string[];
  readonly disableCommonName: boolean;
  readonly clientTimeout: number;
  readonly clientResponseHeaderTimeout: number;
  readonly certificateTimeout: number;
  /** Files or PEM texts. */
  readonly caCertificates: readonly string[];
  readonly caSystemCertPool: boolean;
  readonly caServerName: string | null;
  readonly httpChallenge: { readonly entryPoint: string; readonly delay: number } | null;
  readonly tlsChallenge: { readonly delay: number } | null;
  readonly dnsChallenge: DnsChallengeSettings | null;
}

export interface DnsChallengeSettings {
  /** `exec`: the one there is. */
  readonly provider: string;
  /** `host:port` of DNS servers that are asked whether the record is there. */
  readonly resolvers: readonly string[];
  readonly disableChecks: boolean;
  readonly delayBeforeChecks: number;
}

/** One certificate that a router, an entry point or the default store wants. */
export interface CertificateRequest {
  readonly resolver: string;
  /** Lower case, without repeats; the first is the main one. */
  readonly names: readonly string[];
  /** Qualified names of the routers, or `stores.default`. */
  readonly by: readonly string[];
}

/** What the API, the log and the metrics show of one certificate. */
export interface CertificateStatus {
  readonly resolver: string;
  readonly names: readonly string[];
  readonly state: 'valid' | 'expired' | 'ordering' | 'waiting' | 'missing';
  /** Milliseconds since 1970; null: there is none yet. */
  readonly notAfter: number | null;
  readonly renewAt: number | null;
  /** Of the last try, when that failed; at most 1,000 characters. */
  readonly lastError: string | null;
  readonly failures: number;
  readonly nextTry: number | null;
}

/** What a CA wants to see, for any node to show it. */
export type Challenge =
  | {
      readonly kind: 'http-01';
      readonly domain: string;
      readonly token: string;
      readonly keyAuthorization: string;
    }
  | { readonly kind: 'tls-alpn-01'; readonly domain: string; readonly keyAuthorization: string };

/** The same, as workers answer it. */
export type WorkerChallenge =
  | { readonly kind: 'http-01'; readonly token: string; readonly keyAuthorization: string }
  | {
      readonly kind: 'tls-alpn-01';
      readonly domain: string;
      /** PEM, both. */
      readonly cert: string;
      readonly key: string;
    };
