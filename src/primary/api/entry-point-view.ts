// An entry point as Traefik's API shows it.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import type { ListenerSpec } from '../../model/tls.ts';
import { goDuration } from './answers.ts';

export type EntryPointView = { readonly name: string } & Readonly<Record<string, unknown>>;

/** In the alphabet's order of names. */
export function entryPoints(
  all: readonly EntryPointSpec[],
  listeners: readonly ListenerSpec[],
): readonly EntryPointView[] {
  return all.map((point) => entryPointView(point, listeners)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** `listeners` say how it listens at present. */
export function entryPointView(point: EntryPointSpec, listeners: readonly ListenerSpec[]): EntryPointView {
  const listener = listeners.find(({ entryPoint }) => entryPoint === point.name);
  return {
    address: `${point.host.includes(':') ? `[${point.host}]` : point.host}:${point.port}`,
    ...(point.asDefault ? { asDefault: true } : {}),
    engine: listener?.engine ?? point.engine,
    ...(listener === undefined ? {} : { side: listener.side }),
    ...(listener === undefined || listener.hosts.length === 0 ? {} : { tlsHosts: listener.hosts }),
    transport: transportView(point),
    forwardedHeaders: forwardedHeadersView(point),
    http: httpView(point),
    observability: { accessLogs: point.accessLogs },
    name: point.name,
  };
}

function transportView({ transport }: EntryPointSpec): Record<string, unknown> {
  return {
    lifeCycle: {
      requestAcceptGraceTimeout: goDuration(transport.requestAcceptGraceTimeout),
      graceTimeOut: goDuration(transport.graceTimeOut),
    },
    respondingTimeouts: {
      readTimeout: goDuration(transport.readTimeout),
      writeTimeout: goDuration(transport.writeTimeout),
      idleTimeout: goDuration(transport.idleTimeout),
    },
    keepAliveMaxTime: goDuration(transport.keepAliveMaxTime),
    keepAliveMaxRequests: transport.keepAliveMaxRequests,
  };
}

/** Empty lists and `false` are left out, as Go's encoder does. */
function forwardedHeadersView({ forwardedHeaders }: EntryPointSpec): Record<string, unknown> {
  const { insecure, trustedIPs, connection, notAppendXForwardedFor } = forwardedHeaders;
  return {
    ...(insecure ? { insecure } : {}),
    ...(trustedIPs.length === 0 ? {} : { trustedIPs }),
    ...(connection.length === 0 ? {} : { connection }),
    ...(notAppendXForwardedFor ? { notAppendXForwardedFor } : {}),
  };
}

function httpView({ http }: EntryPointSpec): Record<string, unknown> {
  const { redirection, tls, middlewares } = http;
  return {
    ...(redirection === null ? {} : { redirections: { entryPoint: redirectionView(redirection) } }),
    ...(middlewares.length === 0 ? {} : { middlewares }),
    ...(tls === null
      ? {}
      : { tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== null)) }),
    encodeQuerySemicolons: http.encodeQuerySemicolons,
    sanitizePath: http.sanitizePath,
    maxHeaderBytes: http.maxHeaderBytes,
    encodedCharacters: http.encodedCharacters,
    underscoreHeadersStrategy: http.underscoreHeadersStrategy,
  };
}

type Redirection = NonNullable<EntryPointSpec['http']['redirection']>;

function redirectionView({ to, scheme, permanent, priority }: Redirection): Record<string, unknown> {
  return { to, scheme, permanent, priority: Number(priority) };
}
