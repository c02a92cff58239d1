// Every metric there is: name, meaning, type, labels. Labels take values of the configuration and of closed lists
// alone; what clients send is in none, but for the `headerLabels` that an operator asks for.

export interface MetricName {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** In the order they are written, without the histograms' `le`. */
  readonly labels: readonly string[];
  /** How a gauge of several workers becomes one number; `sum` unless said. */
  readonly across?: 'sum' | 'max';
}

/** What is counted of requests, at each of entry point, router and service. */
export interface RequestNames {
  readonly requests: MetricName;
  readonly tls: MetricName;
  readonly duration: MetricName;
  readonly bytesIn: MetricName;
  readonly bytesOut: MetricName;
}

export type Scope = 'entrypoint' | 'router' | 'service';

/** As Traefik names them. */
export const requestNames: Readonly<Record<Scope, RequestNames>> = {
  entrypoint: namesFor('entrypoint', ['entrypoint'], 'on an entry point'),
  router: namesFor('router', ['router', 'service'], 'that a router took'),
  service: namesFor('service', ['service'], 'that went to a server of a service'),
};

export const metricNames = {
  // --- as Traefik names them ---
  configReloads: counter('traefik_config_reloads_total', 'Configurations that came into force.'),
  configLastReload: gauge(
    'traefik_config_last_reload_success',
    'When a configuration last came into force, in seconds since 1970.',
  ),
  openConnections: gauge('traefik_open_connections', 'Connections of clients that are open.', [
    'entrypoint',
    'protocol',
  ]),
  certificateNotAfter: gauge(
    'traefik_tls_certs_not_after',
    'When a certificate ends, in seconds since 1970.',
    ['cn', 'serial', 'sans'],
  ),
  serviceRetries: counter(
    'traefik_service_retries_total',
    'Attempts at servers of a service beyond the first of a request.',
    ['service'],
  ),
  serverUp: gauge('traefik_service_server_up', 'Whether a server with a health check is up: 1 or 0.', [
    'service',
    'url',
  ]),

  // --- ours: forwardAuth ---
  authHits: counter('portcullis_auth_cache_hits_total', 'Requests that a kept decision answered.', [
    'middleware',
  ]),
  authMisses: counter('portcullis_auth_cache_misses_total', 'Requests that no kept decision answered.', [
    'middleware',
  ]),
  authCoalesced: counter(
    'portcullis_auth_cache_coalesced_total',
    'Requests that waited for the answer to the question of another one.',
    ['middleware'],
  ),
  authStale: counter(
    'portcullis_auth_cache_stale_total',
    'Requests that a decision past its life answered, as the auth server failed.',
    ['middleware'],
  ),
  authNegative: counter('portcullis_auth_cache_negative_total', 'Hits that denied.', ['middleware']),
  authShared: counter(
    'portcullis_auth_cache_shared_total',
    'Questions answered by what another node had asked.',
    ['middleware'],
  ),
  authPurged: counter('portcullis_auth_cache_purged_total', 'Kept decisions forgotten by a purge.', [
    'middleware',
  ]),
  authEvicted: counter('portcullis_auth_cache_evicted_total', 'Kept decisions that gave way to others.', [
    'middleware',
  ]),
  authUncacheable: counter('portcullis_auth_cache_uncacheable_total', 'Answers that were not to be kept.', [
    'middleware',
  ]),
  authLookup: histogram('portcullis_auth_lookup_seconds', 'Time the auth server took to answer.', [
    'middleware',
  ]),
  authFailures: counter(
    'portcullis_auth_failures_total',
    'Questions without a usable answer of the auth server, by why: unreachable, timeout, bad_answer, status.',
    ['middleware', 'reason'],
  ),
  authRequests: histogram(
    'portcullis_auth_request_duration_seconds',
    'Time of requests behind a forwardAuth, from head to end of answer, by its cache: hit, miss, or none.',
    ['cache', 'middleware'],
  ),

  // --- ours: limits, sessions, breakers ---
  rateLimited: counter(
    'portcullis_rate_limit_requests_total',
    'Requests at a rate limit, by what became of them: passed, delayed, refused, failed.',
    ['middleware', 'outcome'],
  ),
  stickySessions: gauge('portcullis_sticky_sessions', 'Sessions by header that the primary knows.'),
  breakerState: {
    ...gauge(
      'portcullis_circuit_breaker_state',
      'State of a circuit breaker in the worker where it is worst: 0 closed, 1 recovering, 2 open.',
      ['middleware', 'place'],
    ),
    across: 'max',
  },

  // --- ours: towards servers ---
  upstreamOpen: gauge('portcullis_upstream_connections', 'Connections to a server that are open.', ['url']),
  upstreamIdle: gauge('portcullis_upstream_idle_connections', 'Connections to a server that are idle.', [
    'url',
  ]),
  upstreamWaiting: gauge('portcullis_upstream_waiting_requests', 'Requests that wait for a connection.', [
    'url',
  ]),
  upstreamReused: counter(
    'portcullis_upstream_reused_total',
    'Requests that were sent on a connection that stood already.',
    ['url'],
  ),
  upstreamDials: histogram(
    'portcullis_upstream_dial_seconds',
    'Time from the beginning of a connection until it stands.',
    ['url'],
  ),

  // --- ours: processes ---
  buildInfo: gauge('portcullis_build_info', 'Always 1; the label says which release runs.', ['version']),
  workers: gauge('portcullis_workers', 'Worker processes that serve.'),
  workerRestarts: counter(
    'portcullis_worker_restarts_total',
    'Workers that ended unasked and were replaced.',
  ),
  workerMemory: gauge('portcullis_worker_resident_memory_bytes', 'Resident memory of all workers together.'),
  workerCpu: counter('portcullis_worker_cpu_seconds_total', 'CPU time of all workers, user and system.'),
  workerGarbageRuns: counter(
    'portcullis_worker_gc_runs_total',
    'Collections of garbage in all workers: minor, major, incremental, weakcb.',
    ['kind'],
  ),
  workerGarbageSeconds: counter(
    'portcullis_worker_gc_seconds_total',
    'Time in which workers stood still to collect garbage.',
    ['kind'],
  ),
  loopDelayMean: {
    ...gauge(
      'portcullis_event_loop_delay_mean_seconds',
      'Mean lateness of timers over the last second, in the process where it is worst.',
      ['process'],
    ),
    across: 'max',
  },
  loopDelayMost: {
    ...gauge(
      'portcullis_event_loop_delay_max_seconds',
      'Largest lateness of a timer over the last second, in the process where it is worst.',
      ['process'],
    ),
    across: 'max',
  },
  loopUtilization: {
    ...gauge(
      'portcullis_event_loop_utilization',
      'Share of the last second in which the event loop was busy, in the busiest process.',
      ['process'],
    ),
    across: 'max',
  },

  // --- ours: configuration and certificates ---
  configVersion: gauge('portcullis_config_version', 'Version of the configuration in force.'),
  configOk: gauge(
    'portcullis_config_last_reload_successful',
    'Whether the newest configuration is in force: 1, or 0 when workers rejected it.',
  ),
  configFailures: counter('portcullis_config_reload_failures_total', 'Configurations that workers rejected.'),
  configDiagnostics: gauge(
    'portcullis_config_diagnostics',
    'What is wrong with the configuration at present, kept last good contents included.',
    ['severity'],
  ),
  configAge: gauge('portcullis_config_age_seconds', 'Seconds since a configuration last came into force.'),
  certificateRemaining: gauge(
    'portcullis_certificate_remaining_seconds',
    'Seconds until a certificate ends; negative once it has.',
    ['cn', 'serial', 'sans'],
  ),
  certificateLifetime: gauge(
    'portcullis_certificate_lifetime_seconds',
    'Seconds from the beginning of a certificate to its end.',
    ['cn', 'serial', 'sans'],
  ),
  acmeCertificates: gauge(
    'portcullis_acme_certificates',
    'Certificates that a resolver is to obtain, by state.',
    ['resolver', 'state'],
  ),
  acmeFailures: gauge(
    'portcullis_acme_failures',
    'Failed tries in a row, over all certificates of a resolver.',
    ['resolver'],
  ),

  // --- ours: shared state ---
  stateMode: gauge(
    'portcullis_state_workers',
    'Workers by where their limits are kept: memory, redis, or what stands in for it (open, closed, local).',
    ['mode'],
  ),
  stateLatency: histogram('portcullis_state_latency_seconds', 'Time a call to Redis took.'),
} as const satisfies Readonly<Record<string, MetricName>>;

/** All of them, for those who list or check names. */
export function allMetricNames(): readonly MetricName[] {
  const requests = Object.values(requestNames).flatMap((names): MetricName[] => Object.values(names));
  return [...requests, ...Object.values(metricNames)];
}

function namesFor(scope: string, own: readonly string[], what: string): RequestNames {
  const labels = ['code', 'method', 'protocol', ...own].toSorted();
  const prefix = `traefik_${scope}`;
  return {
    requests: counter(`${prefix}_requests_total`, `Requests ${what}.`, labels),
    tls: counter(
      `${prefix}_requests_tls_total`,
      `Requests over TLS ${what}.`,
      [...own, 'tls_cipher', 'tls_version'].toSorted(),
    ),
    duration: histogram(
      `${prefix}_request_duration_seconds`,
      `Time from the head of a request to the end of its answer, of requests ${what}.`,
      labels,
    ),
    bytesIn: counter(`${prefix}_requests_bytes_total`, `Bytes of bodies of requests ${what}.`, labels),
    bytesOut: counter(
      `${prefix}_responses_bytes_total`,
      `Bytes of bodies of answers to requests ${what}.`,
      labels,
    ),
  };
}

function counter(name: string, help: string, labels: readonly string[] = []): MetricName {
  return { name, help, labels, type: 'counter' };
}

function gauge(name: string, help: string, labels: readonly string[] = []): MetricName {
  return { name, help, labels, type: 'gauge' };
}

function histogram(name: string, help: string, labels: readonly string[] = []): MetricName {
  return { name, help, labels, type: 'histogram' };
}
