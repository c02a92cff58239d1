// Everything that can go wrong with a request, whose fault it is, and what the client is told.

export type Blame = 'client' | 'auth' | 'server' | 'service' | 'us';

/** When a request may be sent once more. */
export type RetryRule = 'never' | 'fresh-connection' | 'other-server';

interface ErrorKind {
  readonly blame: Blame;
  readonly status: number;
  readonly retry: RetryRule;
}

/** The catalogue. Statuses are Traefik's; bodies follow from the status (see `respond.ts`). */
export const errorKinds = {
  'router.no_match': { blame: 'client', status: 404, retry: 'never' },
  'router.broken': { blame: 'us', status: 503, retry: 'never' },
  'intake.bad_request': { blame: 'client', status: 400, retry: 'never' },
  'client.slow': { blame: 'client', status: 408, retry: 'never' },
  'client.gone': { blame: 'client', status: 499, retry: 'never' },
  'auth.unreachable': { blame: 'auth', status: 500, retry: 'never' },
  'auth.timeout': { blame: 'auth', status: 500, retry: 'never' },
  'auth.bad_answer': { blame: 'auth', status: 500, retry: 'never' },
  'service.no_server': { blame: 'service', status: 503, retry: 'never' },
  'service.session_lost': { blame: 'client', status: 404, retry: 'never' },
  'state.unreachable': { blame: 'us', status: 503, retry: 'never' },
  'service.failover_down': { blame: 'service', status: 503, retry: 'never' },
  'upstream.connect_refused': { blame: 'server', status: 502, retry: 'other-server' },
  'upstream.connect_timeout': { blame: 'server', status: 504, retry: 'other-server' },
  'upstream.headers_timeout': { blame: 'server', status: 504, retry: 'never' },
  'upstream.reset': { blame: 'server', status: 502, retry: 'other-server' },
  'upstream.reset_reused': { blame: 'server', status: 502, retry: 'fresh-connection' },
  'upstream.malformed': { blame: 'server', status: 500, retry: 'never' },
  'upstream.bad_framing': { blame: 'server', status: 502, retry: 'never' },
  'upstream.certificate': { blame: 'server', status: 500, retry: 'never' },
  'upstream.bad_upgrade': { blame: 'server', status: 500, retry: 'never' },
  'upstream.reset_body': { blame: 'server', status: 502, retry: 'never' },
  'gateway.bug': { blame: 'us', status: 500, retry: 'never' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly blame: Blame;
  readonly status: number;
  readonly retry: RetryRule;
  /** No byte of the request has left for the server: whatever its method, it may be sent elsewhere. */
  unsent = false;

  /** `detail` is for the log, never for the client; it must hold nothing unbounded of a client's. */
  constructor(code: ErrorCode, detail = '', cause?: unknown) {
    super(detail === '' ? code : `${code}: ${detail}`, cause === undefined ? undefined : { cause });
    const kind = errorKinds[code];
    this.code = code;
    this.blame = kind.blame;
    this.status = kind.status;
    this.retry = kind.retry;
  }
}
