// Which variables of the environment reach a worker. The primary's may hold secrets: the configuration's own, tokens of
// DNS services, what the system gave along.

/** Of Node, OpenSSL, the C library and the tools that change either; none of them is a secret. */
const usual: ReadonlySet<string> = new Set(
  [
    'PATH HOME TZ LANG LANGUAGE TMPDIR TMP TEMP TERM NO_COLOR FORCE_COLOR NODE_DISABLE_COLORS',
    'NODE_OPTIONS NODE_DEBUG NODE_DEBUG_NATIVE NODE_V8_COVERAGE NODE_ICU_DATA NODE_DISABLE_COMPILE_CACHE',
    'NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA NODE_TLS_REJECT_UNAUTHORIZED',
    'SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF OPENSSL_MODULES',
    'UV_THREADPOOL_SIZE UV_USE_IO_URING LD_PRELOAD LD_LIBRARY_PATH GLIBC_TUNABLES',
    // Windows opens no socket without the first.
    'SYSTEMROOT WINDIR SYSTEMDRIVE',
  ].flatMap((line) => line.split(' ')),
);
const usualBeginnings = /^(?:LC_|MALLOC_|FAKETIME)/;

/** Of the exporter of traces and its channel, in workers since it is they who trace. */
const ofTraces = /^(?:OTEL_|GRPC_|(?:grpc|http|https|no|all)_proxy$)/i;

export interface EnvironmentWants {
  /** Names that the configuration adds. */
  readonly names?: readonly string[];
  readonly traces?: boolean;
}

/** Every variable of `env` that workers do not get, as undefined: what is forked inherits the rest. */
export function withheld(
  env: NodeJS.ProcessEnv,
  { names = [], traces = false }: EnvironmentWants,
): Readonly<Record<string, undefined>> {
  const added = new Set(names);
  const passes = (name: string): boolean =>
    usual.has(process.platform === 'win32' ? name.toUpperCase() : name) ||
    usualBeginnings.test(name) ||
    added.has(name) ||
    (traces && ofTraces.test(name));
  const kept = Object.keys(env).filter((name) => !passes(name));
  return Object.fromEntries(kept.map((name) => [name, undefined]));
}
