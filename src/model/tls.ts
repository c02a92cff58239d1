// TLS as the primary resolved it: certificates, options, and how each entry point listens.

import type { Engine } from './entry-point.ts';
import type { TlsVersion } from './snapshot.ts';

/** A chain with its key. The key is a secret: it is never logged and never shown. */
export interface CertificateSpec {
  /** SHA-256 of the leaf's DER, lower-case hex: which certificate it is. */
  readonly fingerprint: string;
  /** PEM, the leaf first. */
  readonly cert: string;
  /** PEM, not encrypted. */
  readonly key: string;
  /** DNS names and IP addresses it is for, lower case, sorted; `*.example.com` stands for one label. */
  readonly names: readonly string[];
  /** Milliseconds since 1970, both. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Why the uws engine cannot show it, in words; absent: it can. */
  readonly beyondUws?: string;
}

export type ClientAuthType =
  | 'NoClientCert'
  | 'RequestClientCert'
  | 'RequireAnyClientCert'
  | 'VerifyClientCertIfGiven'
  | 'RequireAndVerifyClientCert';

export interface TlsOptionsSpec {
  /** Qualified; `default` for those that apply where a router names none. */
  readonly name: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** As OpenSSL names them. Absent: our own choice. */
  readonly cipherSuites?: readonly string[];
  /** As OpenSSL names them. Absent: the runtime's own. */
  readonly curvePreferences?: readonly string[];
  readonly clientAuth: { readonly type: ClientAuthType; readonly cas: readonly string[] } | null;
  /** A handshake for a name without a certificate fails. */
  readonly sniStrict: boolean;
  /** Among `h2`, `http/1.1`, in order of preference; never empty. */
  readonly alpnProtocols: readonly string[];
  readonly sessionTickets: boolean;
  /** Not empty: routers that ask for them answer 503, and handshakes for their hosts fail. */
  readonly errors: readonly string[];
}

/** How an entry point listens: which engine, and what a connection may begin with. */
export interface ListenerSpec {
  readonly entryPoint: string;
  readonly engine: Engine;
  /** `both` tells a TLS hello from a request by the first byte; the node engine alone can. */
  readonly side: 'cleartext' | 'tls' | 'both';
  /** Options of the hosts that ask for others than `default`, lower case, sorted. */
  readonly hosts: readonly { readonly host: string; readonly options: string }[];
}

export interface TlsSpec {
  /** Sorted by fingerprint; those of files come here, those by ACME in messages of their own. */
  readonly certificates: readonly CertificateSpec[];
  /** What `tls.stores.default` names; null: one the gateway has made itself. */
  readonly defaultCertificate: CertificateSpec | null;
  /** Names of the certificate by ACME that is the default one once it is there; absent: none is. */
  readonly defaultNames?: readonly string[];
  /** Sorted by name; `default` is always among them. */
  readonly options: readonly TlsOptionsSpec[];
  /** One for each entry point, sorted by its name. */
  readonly listeners: readonly ListenerSpec[];
}

/** Certificates that come and go without a Snapshot. */
export interface CertificateChange {
  readonly add: readonly CertificateSpec[];
  /** Fingerprints. */
  readonly remove: readonly string[];
  /** For names without a certificate; absent: as before. */
  readonly fallback?: CertificateSpec;
}

export const defaultTlsOptions: TlsOptionsSpec = {
  name: 'default',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  clientAuth: null,
  sniStrict: false,
  alpnProtocols: ['h2', 'http/1.1'],
  sessionTickets: true,
  errors: [],
};

export const noTls: TlsSpec = {
  certificates: [],
  defaultCertificate: null,
  options: [defaultTlsOptions],
  listeners: [],
};
