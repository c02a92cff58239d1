// `tracing` of the static configuration as the workers get it.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { CollectorSettings, CollectorTls, Propagator, TracingSettings } from '../../model/tracing.ts';
import { staticError, staticWarning } from './problem.ts';
import { readPem } from './read-pem.ts';
import type { StaticConfig } from './schema.ts';

type Tracing = NonNullable<StaticConfig['tracing']>;
type Otlp = NonNullable<Tracing['otlp']>;

/** Entries of one list or map: each is worked through for every traced request. */
const maxEntries = 100;

export function resolveTracing({ tracing }: StaticConfig, diagnostics: Diagnostic[]): TracingSettings | null {
  if (tracing === undefined) return null;
  const { sampleRate } = tracing;
  if (sampleRate < 0 || sampleRate > 1) {
    const message = `\`sampleRate\` is ${sampleRate}, expected 0 to 1`;
    diagnostics.push(staticError('tracing.sampleRate', message));
  }
  checkSizes(tracing, diagnostics);
  return {
    resource: {
      'service.name': tracing.serviceName,
      ...tracing.globalAttributes,
      ...tracing.resourceAttributes,
    },
    capturedRequestHeaders: tracing.capturedRequestHeaders
      .map((name) => name.toLowerCase())
      .filter(isNotAgent),
    capturedResponseHeaders: tracing.capturedResponseHeaders.map((name) => name.toLowerCase()),
    safeQueryParams: tracing.safeQueryParams,
    sampleRate,
    addInternals: tracing.addInternals,
    propagators: propagatorsOf(tracing, diagnostics),
    collector: collectorOf(tracing.otlp ?? {}, diagnostics),
  };
}

/** It has an attribute of its own. */
function isNotAgent(name: string): boolean {
  return name !== 'user-agent';
}

function checkSizes(tracing: Tracing, diagnostics: Diagnostic[]): void {
  const sizes = {
    capturedRequestHeaders: tracing.capturedRequestHeaders.length,
    capturedResponseHeaders: tracing.capturedResponseHeaders.length,
    safeQueryParams: tracing.safeQueryParams.length,
    resourceAttributes: Object.keys(tracing.resourceAttributes ?? {}).length,
    globalAttributes: Object.keys(tracing.globalAttributes ?? {}).length,
  };
  for (const [name, size] of Object.entries(sizes)) {
    if (size <= maxEntries) continue;
    const message = `\`${name}\` has ${size} entries, at most ${maxEntries} can be`;
    diagnostics.push(staticError(`tracing.${name}`, message));
  }
}

const known: ReadonlySet<string> = new Set<Propagator>(['tracecontext', 'b3', 'b3multi']);

/** The configuration's word, else that of the variable OpenTelemetry has for it. Baggage passes untouched. */
function propagatorsOf(tracing: Tracing, diagnostics: Diagnostic[]): Propagator[] {
  const written = tracing.propagators.length > 0;
  const names = written ? tracing.propagators : (process.env['OTEL_PROPAGATORS'] ?? '').split(',');
  const wanted = [...new Set(names.map((name) => name.trim()))].filter(
    (name) => name !== '' && name !== 'baggage',
  );
  const found = wanted.filter((name): name is Propagator => known.has(name));
  const other = wanted.find((name) => !known.has(name) && !(name === 'none' && !written));
  if (other !== undefined) {
    const shown = JSON.stringify(other.slice(0, 40));
    const message = `${written ? '`propagators`' : 'OTEL_PROPAGATORS'} names ${shown}, expected tracecontext, b3 or b3multi`;
    diagnostics.push((written ? staticError : staticWarning)('tracing.propagators', message));
  }
  return found.length > 0 || wanted.includes('none') ? found : ['tracecontext'];
}

function collectorOf({ http, grpc }: Otlp, diagnostics: Diagnostic[]): CollectorSettings {
  if (grpc !== undefined) {
    const endpoint = grpc.endpoint ?? 'localhost:4317';
    if (!/^[^\s/@]+:\d{1,5}$/.test(endpoint)) {
      const message = `\`endpoint\` is ${JSON.stringify(endpoint.slice(0, 100))}, expected \`host:port\``;
      diagnostics.push(staticError('tracing.otlp.grpc.endpoint', message));
    }
    const url = `${grpc.insecure ? 'http' : 'https'}://${endpoint}`;
    return {
      protocol: 'grpc',
      url,
      headers: grpc.headers ?? {},
      tls: readTls('grpc', grpc.tls, diagnostics),
    };
  }
  const endpoint = http?.endpoint ?? 'https://localhost:4318';
  const url = URL.parse(endpoint);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const message = `\`endpoint\` is ${JSON.stringify(endpoint.slice(0, 100))}, expected the URL of a collector`;
    diagnostics.push(staticError('tracing.otlp.http.endpoint', message, 'e.g. `http://collector:4318`'));
  }
  if (url !== null && url.pathname === '/') url.pathname = '/v1/traces';
  const tls = readTls('http', http?.tls, diagnostics);
  return { protocol: 'http', url: url?.href ?? '', headers: http?.headers ?? {}, tls };
}

type WrittenTls = { readonly [K in keyof CollectorTls]?: CollectorTls[K] | undefined };

function readTls(
  protocol: 'http' | 'grpc',
  written: WrittenTls | undefined,
  diagnostics: Diagnostic[],
): CollectorTls | null {
  if (written === undefined) return null;
  const root = `tracing.otlp.${protocol}.tls`;
  const read = (part: 'ca' | 'cert' | 'key'): string => {
    const value = written[part] ?? '';
    const pem = value === '' ? '' : readPem(value);
    if (pem !== null) return pem;
    // Not what is written there: it may be a broken key.
    const message = `\`${part}\` is neither a PEM text nor a file that holds one`;
    diagnostics.push(staticError(`${root}.${part}`, message));
    return '';
  };
  if (((written.cert ?? '') === '') !== ((written.key ?? '') === ''))
    diagnostics.push(staticError(root, '`cert` and `key` are only of use together'));
  const { insecureSkipVerify = false } = written;
  return { ca: read('ca'), cert: read('cert'), key: read('key'), insecureSkipVerify };
}
