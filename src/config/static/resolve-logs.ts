// `log` and `accessLog` of the static configuration as the workers get them.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type {
  AccessLogSettings,
  FieldMode,
  HeaderMode,
  LogSettings,
  RotationSettings,
} from '../../model/settings.ts';
import { staticError } from './problem.ts';
import type { StaticConfig } from './schema.ts';

/** Lines a worker may hold back at most. */
const mostBufferedLines = 1_000_000;

export function resolveLog({ log }: StaticConfig, diagnostics: Diagnostic[]): LogSettings {
  const level = log?.level ?? 'error';
  return {
    level: level === 'panic' ? 'fatal' : level,
    format: log?.format ?? 'common',
    noColor: log?.noColor ?? false,
    filePath: fileOf(log?.filePath),
    rotation: rotationOf(log, 'log', diagnostics),
  };
}

export function resolveAccessLog(
  { accessLog }: StaticConfig,
  diagnostics: Diagnostic[],
): AccessLogSettings | null {
  if (accessLog === undefined) return null;
  const { fields, filters } = accessLog;
  const isBufferSane = accessLog.bufferingSize >= 0 && accessLog.bufferingSize <= mostBufferedLines;
  if (!isBufferSane) {
    diagnostics.push(
      staticError(
        'accessLog.bufferingSize',
        `\`bufferingSize\` is ${accessLog.bufferingSize}, expected 0 to ${mostBufferedLines}`,
      ),
    );
  }
  return {
    filePath: fileOf(accessLog.filePath),
    format: accessLog.format,
    filters: {
      statusCodes: filters.statusCodes.flatMap((written) => statusRange(written, diagnostics)),
      retryAttempts: filters.retryAttempts,
      minDuration: filters.minDuration,
    },
    fields: {
      defaultMode: fields.defaultMode,
      names: (fields.names ?? {}) as Record<string, FieldMode>,
      headersDefaultMode: fields.headers.defaultMode,
      headers: lowerKeys(fields.headers.names ?? {}),
      queryParameters: fields.queryParameters.defaultMode,
    },
    bufferingSize: isBufferSane ? accessLog.bufferingSize : 0,
    addInternals: accessLog.addInternals,
    dualOutput: accessLog.dualOutput,
    rotation: rotationOf(accessLog.rotation, 'accessLog.rotation', diagnostics),
  };
}

/** Standard output by a name of its own: opened by that name in a worker, it would be the worker's, which nobody reads. */
const namesOfOutput: ReadonlySet<string> = new Set(['', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/** Null is standard output. */
function fileOf(filePath = ''): string | null {
  return namesOfOutput.has(filePath) ? null : filePath;
}

interface WrittenRotation {
  readonly maxSize: number;
  readonly maxAge: number;
  readonly maxBackups: number;
  readonly compress: boolean;
}

/** Megabytes of a file that is rotated, when only the other keys are written. */
const usualSize = 100;
/** Above this numbers are no numbers of days or files any more. */
const mostOfAnything = 1_000_000;

/** Null when none of the numbers is written. */
function rotationOf(
  written: WrittenRotation | undefined,
  path: string,
  diagnostics: Diagnostic[],
): RotationSettings | null {
  if (written === undefined) return null;
  const { maxSize, maxAge, maxBackups, compress } = written;
  for (const [name, value] of Object.entries({ maxSize, maxAge, maxBackups })) {
    if (value >= 0 && value <= mostOfAnything) continue;
    const message = `\`${name}\` is ${value}, expected 0 to ${mostOfAnything}`;
    diagnostics.push(staticError(`${path}.${name}`, message));
  }
  if (maxSize <= 0 && maxAge <= 0 && maxBackups <= 0) return null;
  const maxBytes = (maxSize > 0 ? maxSize : usualSize) * 1024 * 1024;
  return { maxBytes, maxAge: maxAge * 24 * 3_600_000, maxBackups, compress };
}

function statusRange(written: string, diagnostics: Diagnostic[]): (readonly [number, number])[] {
  const match = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(written);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match !== null && from <= to) return [[from, to]];
  diagnostics.push(
    staticError(
      'accessLog.filters.statusCodes',
      `\`statusCodes\` holds ${JSON.stringify(written.slice(0, 80))}, expected a status or a range like \`300-302\``,
    ),
  );
  return [];
}

function lowerKeys(names: Record<string, HeaderMode>): Record<string, HeaderMode> {
  return Object.fromEntries(Object.entries(names).map(([name, mode]) => [name.toLowerCase(), mode]));
}
