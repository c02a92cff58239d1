// An entry point as Traefik's API shows it.

import type { EntryPointSpec } from '../../model/entry-point.ts';
import { goDuration } from './answers.ts';
import type { Listed } from './list.ts';

export function entryPointView(point: EntryPointSpec): Listed {
  const { transport, http, forwardedHeaders } = point;
  const { redirection } = http;
  return {
    address: `${point.host.includes(':') ? `[${point.host}]` : point.host}:${point.port}`,
    asDefault: point.asDefault,
    engine: point.engine,
    transport: {
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
    },
    forwardedHeaders,
    http: {
      middlewares: http.middlewares,
      sanitizePath: http.sanitizePath,
      maxHeaderBytes: http.maxHeaderBytes,
      encodeQuerySemicolons: http.encodeQuerySemicolons,
      encodedCharacters: http.encodedCharacters,
      ...(redirection === null
        ? {}
        : {
            redirections: {
              entryPoint: {
                to: redirection.to,
                scheme: redirection.scheme,
                permanent: redirection.permanent,
                priority: Number(redirection.priority),
              },
            },
          }),
    },
    observability: { accessLogs: point.accessLogs },
    name: point.name,
    provider: 'internal',
    status: 'enabled',
  };
}
