// The process log: what the gateway says about itself. Requests go to the access log.

import { isatty } from 'node:tty';
import { pino } from 'pino';
import type { LogLevel, LogSettings } from '../model/settings.ts';
import { standardOutput } from './line-target.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';
import { escapeUnsafe, jsonOfText } from './log-text.ts';
import { redactFields } from './redact.ts';
import { tellUnopened } from './unopened.ts';

/** Values under names such as `password` or `token` are never written. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message?: string): void;
}

export interface Log {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** Written before it returns: the process may be on its way out. */
  readonly fatal: LogMethod;
  readonly level: LogLevel;
  /** The same log; its lines carry `component`. */
  child(component: string): Log;
  /** Opens the file anew, after a rotation. */
  reopen(): void;
  flush(): Promise<void>;
  flushSync(): void;
}

export interface LogOptions {
  /** Lines go to standard output while the file cannot be opened; otherwise creating the log throws. */
  readonly elseStandardOutput?: boolean;
}

/** Throws when the file cannot be opened, unless standard output takes its place. */
export function createLog(settings: LogSettings, { elseStandardOutput = false }: LogOptions = {}): Log {
  const writer = createLineWriter({
    filePath: settings.filePath,
    mode: 0o644,
    flushChars: 16_384,
    flushLines: 100,
    flushDelayMs: 5,
    rotation: settings.rotation ?? null,
    ...(elseStandardOutput ? { unopened: { fd: standardOutput(), ...tellUnopened('log', () => log) } } : {}),
    onDropped: (lines) =>
      log.warn({ lines }, 'Log lines were dropped: the log is written more slowly than it grows'),
  });
  const colored =
    settings.filePath === null && !settings.noColor && !process.env['NO_COLOR'] && isatty(standardOutput());
  const format = settings.format === 'json' ? escapeUnsafe : commonLine(colored);
  const base = pino(
    {
      base: null,
      level: settings.level,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString().slice(0, 19)}Z"`,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
    },
    { write: (line: string) => writer.write(format(line)) },
  );
  const log = wrap(base, writer, settings.level);
  return log;
}

function wrap(base: pino.Logger, writer: LineWriter, level: LogLevel): Log {
  const method =
    (name: LogLevel): LogMethod =>
    (first: string | LogFields, message?: string) => {
      if (typeof first === 'string') base[name](first);
      else base[name](first, message);
      if (name === 'fatal') writer.flushSync();
    };
  return {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    level,
    child: (component) => wrap(base.child({ component }), writer, level),
    reopen: () => writer.reopen(),
    flush: () => writer.flush(),
    flushSync: () => writer.flushSync(),
  };
}

const shortLevels: Readonly<Record<string, readonly [name: string, color: number]>> = {
  trace: ['TRC', 34],
  debug: ['DBG', 33],
  info: ['INF', 32],
  warn: ['WRN', 33],
  error: ['ERR', 31],
  fatal: ['FTL', 31],
};

/** `2026-01-02T15:04:05Z INF message key=value`. */
function commonLine(colored: boolean): (line: string) => string {
  return (line) => {
    const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const [name, color] = shortLevels[String(level)] ?? ['???', 0];
    let text = colored ? `\x1b[90m${time}\x1b[0m \x1b[${color}m${name}\x1b[0m` : `${time} ${name}`;
    if (message !== undefined && message !== '') text += ` ${plain(message)}`;
    for (const [key, value] of Object.entries(fields)) {
      text += colored ? ` \x1b[36m${key}=\x1b[0m${quoted(value)}` : ` ${key}=${quoted(value)}`;
    }
    return `${text}\n`;
  };
}

/** A message reads as it is, but stays on its line. */
function plain(message: unknown): string {
  return jsonOfText(String(message)).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
}

function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=\\\x00-\x1f\x7f-\x9f]+$/.test(text) ? text : jsonOfText(text);
}
