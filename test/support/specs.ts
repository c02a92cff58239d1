// Specs with the defaults a configuration without further words has.

import type { EncodedCharacters, EntryPointSpec } from '../../src/model/entry-point.ts';
import type { TransportSpec } from '../../src/model/snapshot.ts';

export const everyCharacter: EncodedCharacters = {
  slash: true,
  backSlash: true,
  nullCharacter: true,
  semicolon: true,
  percent: true,
  questionMark: true,
  hash: true,
};

export const transport: TransportSpec = {
  name: 'default@internal',
  serverName: null,
  insecureSkipVerify: false,
  rootCAs: [],
  certificates: [],
  maxIdleConnsPerHost: 200,
  dialTimeout: 30_000,
  responseHeaderTimeout: 0,
  idleConnTimeout: 90_000,
  errors: [],
};

export interface EntryPointKeys {
  readonly port?: number;
  readonly asDefault?: boolean;
  readonly middlewares?: readonly string[];
  readonly accessLogs?: boolean;
  readonly tls?: EntryPointSpec['http']['tls'];
  readonly redirection?: EntryPointSpec['http']['redirection'];
  readonly engine?: EntryPointSpec['engine'];
}

export function entryPoint(name: string, keys: EntryPointKeys = {}): EntryPointSpec {
  return {
    name,
    host: '',
    port: keys.port ?? 80,
    engine: keys.engine ?? 'uws',
    asDefault: keys.asDefault ?? false,
    forwardedHeaders: { insecure: false, trustedIPs: [], connection: [], notAppendXForwardedFor: false },
    transport: {
      requestAcceptGraceTimeout: 0,
      graceTimeOut: 10_000,
      readTimeout: 60_000,
      writeTimeout: 0,
      idleTimeout: 180_000,
      keepAliveMaxTime: 0,
      keepAliveMaxRequests: 0,
    },
    http: {
      middlewares: keys.middlewares ?? [],
      sanitizePath: true,
      maxHeaderBytes: 1_048_576,
      underscoreHeadersStrategy: 'keep',
      encodeQuerySemicolons: false,
      encodedCharacters: everyCharacter,
      tls: keys.tls ?? null,
      redirection: keys.redirection ?? null,
    },
    accessLogs: keys.accessLogs ?? true,
  };
}
