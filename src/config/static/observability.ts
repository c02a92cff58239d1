// Static schema: `log`, `accessLog`, `metrics`, `tracing`, `ping`, `api`.

import { z } from 'zod';
import {
  bool,
  duration,
  int,
  list,
  object,
  secret,
  section,
  text,
  textMap,
} from '../../proxy/middlewares/fields.ts';
import { key, keyOr, later, oneOf, refused, removed } from './define.ts';

const number = z.any().transform((value, context): number => {
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof parsed === 'number' && Number.isFinite(parsed)) return parsed;
  context.addIssue({ code: 'custom', message: 'expected a number' });
  return z.NEVER;
}) as unknown as z.ZodType<number>;

/** A list of numbers, or one text with commas, as flags and the environment have it. */
const numbers = z.any().transform((value, context): number[] => {
  const parsed = list.safeParse(value);
  const found = parsed.success ? parsed.data.map((item) => (item === '' ? Number.NaN : Number(item))) : [];
  if (parsed.success && found.every(Number.isFinite)) return found;
  context.addIssue({ code: 'custom', message: 'expected a list of numbers' });
  return z.NEVER;
}) as unknown as z.ZodType<number[]>;

const otlpTls = object({
  ca: secret(key(text, 'CA file or PEM')),
  cert: secret(key(text, 'Certificate file or PEM')),
  key: secret(key(text, 'Key file or PEM')),
  insecureSkipVerify: keyOr(bool, false, 'Do not verify the certificate'),
});
const otlpHttp = section({
  endpoint: key(text, 'Collector’s URL'),
  headers: secret(textMap.optional(), 'request-headers'),
  tls: otlpTls.optional(),
});
const otlpGrpc = section({
  endpoint: key(text, 'Collector’s host and port'),
  insecure: keyOr(bool, false, 'Without TLS'),
  headers: secret(textMap.optional(), 'request-headers'),
  tls: otlpTls.optional(),
});
const otlpKeys = {
  http: otlpHttp.optional(),
  grpc: otlpGrpc.optional(),
  serviceName: key(text, 'Name of this service'),
  resourceAttributes: textMap.optional(),
};

const rotationKeys = {
  maxSize: keyOr(int, 0, 'Megabytes before a file is rotated; 0 with one of the others: 100'),
  maxAge: keyOr(int, 0, 'Days rotated files are kept; 0 keeps them'),
  maxBackups: keyOr(int, 0, 'Rotated files that are kept; 0 keeps all'),
  compress: keyOr(bool, false, 'Compress rotated files'),
};
const collectLines = 'let a collector read the lines: format json, on standard output or in a file';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic'] as const;

export const log = section({
  level: keyOr(oneOf(levels, { anyCase: true }), 'error', `One of ${levels.join(', ').toUpperCase()}`),
  format: keyOr(oneOf(['common', 'json']), 'common', 'common or json'),
  noColor: keyOr(bool, false, 'Without colours in format common'),
  filePath: key(text, 'File instead of standard output'),
  ...rotationKeys,
  otlp: refused(collectLines),
});

const keepDrop = oneOf(['keep', 'drop']);
const keepDropRedact = oneOf(['keep', 'drop', 'redact']);

const fields = object({
  defaultMode: keyOr(keepDrop, 'keep', 'keep or drop fields not named'),
  names: z.record(z.string(), keepDrop).optional(),
  headers: object({
    defaultMode: keyOr(keepDropRedact, 'drop', 'keep, drop or redact headers not named'),
    names: z.record(z.string(), keepDropRedact).optional(),
  }).prefault({}),
  queryParameters: object({ defaultMode: keyOr(keepDrop, 'keep', 'keep or drop the query') }).prefault({}),
});

const filters = object({
  statusCodes: keyOr(list, [], 'Only these status codes: `200`, `300-302`'),
  retryAttempts: keyOr(bool, false, 'Keep requests that were retried'),
  minDuration: keyOr(duration, 0, 'Only requests that took at least this long'),
});

export const accessLog = section({
  filePath: key(text, 'File instead of standard output'),
  format: keyOr(
    oneOf(['common', 'json', 'genericCLF', 'short']),
    'common',
    'common, json, genericCLF or short',
  ),
  filters: filters.prefault({}),
  fields: fields.prefault({}),
  bufferingSize: keyOr(int, 0, 'Lines kept in memory before they are written'),
  addInternals: keyOr(bool, false, 'Also lines for ping, API and redirections'),
  dualOutput: keyOr(bool, false, 'Write to standard output as well'),
  rotation: object(rotationKeys).optional(),
  otlp: refused(collectLines),
});

const pushKeys = {
  address: key(text, 'Where to send'),
  pushInterval: keyOr(duration, 10_000, 'Time between two sendings'),
  addEntryPointsLabels: keyOr(bool, true, 'Metrics per entry point'),
  addRoutersLabels: keyOr(bool, false, 'Metrics per router'),
  addServicesLabels: keyOr(bool, true, 'Metrics per service'),
  prefix: keyOr(text, 'traefik', 'Prefix of the names'),
};

export const metrics = object({
  addInternals: keyOr(bool, false, 'Also count ping, API and redirections'),
  prometheus: section({
    buckets: numbers.optional().meta({ type: 'list', summary: 'Bounds of the histograms, in seconds' }),
    addEntryPointsLabels: pushKeys.addEntryPointsLabels,
    addRoutersLabels: pushKeys.addRoutersLabels,
    addServicesLabels: pushKeys.addServicesLabels,
    entryPoint: keyOr(text, 'traefik', 'Entry point that serves /metrics'),
    manualRouting: keyOr(bool, false, 'Only the service prometheus@internal, no router'),
    headerLabels: textMap.optional(),
  }).optional(),
  datadog: later(section(pushKeys).optional()),
  statsD: later(section(pushKeys).optional()),
  influxDB2: later(
    section({
      ...pushKeys,
      token: secret(key(text, 'Token')),
      org: key(text, 'Organisation'),
      bucket: key(text, 'Bucket'),
      additionalLabels: textMap.optional(),
    }).optional(),
  ),
  otlp: later(
    section({
      ...otlpKeys,
      addEntryPointsLabels: pushKeys.addEntryPointsLabels,
      addRoutersLabels: pushKeys.addRoutersLabels,
      addServicesLabels: pushKeys.addServicesLabels,
      explicitBoundaries: numbers
        .optional()
        .meta({ type: 'list', summary: 'Bounds of the histograms, in seconds' }),
      pushInterval: pushKeys.pushInterval,
    }).optional(),
  ),
  influxDB: removed('use `metrics.influxDB2`'),
});

const tracingGone = 'tracing goes through `tracing.otlp`';

export const tracing = section({
  serviceName: keyOr(text, 'traefik', 'Name of this service'),
  resourceAttributes: textMap.optional(),
  globalAttributes: textMap.optional(),
  capturedRequestHeaders: keyOr(list, [], 'Request headers put on spans'),
  capturedResponseHeaders: keyOr(list, [], 'Response headers put on spans'),
  safeQueryParams: keyOr(list, [], 'Query parameters shown on spans'),
  sampleRate: keyOr(number, 1, 'Share of requests traced, 0 to 1'),
  addInternals: keyOr(bool, false, 'Also trace ping, API and redirections'),
  otlp: section({ http: otlpHttp.optional(), grpc: otlpGrpc.optional() }).optional(),
  propagators: keyOr(
    list,
    [],
    'Headers that carry trace context: tracecontext, b3, b3multi; else OTEL_PROPAGATORS, else tracecontext',
  ),
  jaeger: removed(tracingGone),
  zipkin: removed(tracingGone),
  datadog: removed(tracingGone),
  instana: removed(tracingGone),
  haystack: removed(tracingGone),
  elastic: removed(tracingGone),
  spanNameLimit: removed('delete it'),
});

export const ping = section({
  entryPoint: keyOr(text, 'traefik', 'Entry point that serves /ping'),
  manualRouting: keyOr(bool, false, 'Only the service ping@internal, no router'),
  terminatingStatusCode: keyOr(int, 503, 'Status of /ping once shutdown has begun'),
});

export const api = section({
  basePath: keyOr(text, '/', 'Path under which the API answers'),
  insecure: keyOr(bool, false, 'Serve the API without authentication on the entry point traefik'),
  dashboard: keyOr(bool, true, 'Serve the dashboard'),
  debug: keyOr(bool, false, 'Serve /debug/vars beside the API'),
  disableDashboardAd: keyOr(bool, false, 'Accepted; there is none'),
  dashboardName: key(text, 'Name shown in the dashboard'),
});
