// `log` and `accessLog` of the static configuration as the workers get them.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { AccessLogSettings, FieldMode, HeaderMode, LogSettings } from '../../model/settings.ts';
import { staticError } from './problem.ts';
import type { StaticConfig } from './schema.ts';

/** Lines a worker may hold back at most. */
const mostBufferedLines = 1_000_000;

export function resolveLog({ log }: StaticConfig): LogSettings {
  const level = log?.level ?? 'error';
  return {
    level: level === 'panic' ? 'fatal' : level,
    format: log?.format ?? 'common',
    noColor: log?.noColor ?? false,
    filePath: log?.filePath === undefined || log.filePath === '' ? null : log.filePath,
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
    filePath: accessLog.filePath === undefined || accessLog.filePath === '' ? null : accessLog.filePath,
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
  };
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
