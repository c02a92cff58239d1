// The static part of a worker's life: sent once, at its start, never changed.

import type { EntryPointSpec } from './entry-point.ts';
import type { MetricsSettings } from './metrics.ts';
import type { RedisSettings } from './redis.ts';
import type { TracingSettings } from './tracing.ts';

export interface WorkerSettings {
  readonly entryPoints: readonly EntryPointSpec[];
  readonly accessLog: AccessLogSettings | null;
  readonly log: LogSettings;
  /** Status of `/ping` once shutdown has begun. */
  readonly pingTerminatingStatusCode: number;
  /** 32 random bytes, hex: the same in all workers of one boot, so that keyed hashes agree. */
  readonly bootSecret: string;
  readonly plugins: readonly PluginSettings[];
  /** Null: state lives in the primary. */
  readonly redis: RedisSettings | null;
  /** Known to all nodes that share a Redis; a secret. Null or absent: there is none. */
  readonly stateSecret?: string | null;
  /** What a request gets when the state it needs cannot be reached. */
  readonly stateOnError: StateOnError;
  /** Null or absent: nothing is counted. */
  readonly metrics?: MetricsSettings | null;
  /** Null or absent: nothing is traced. */
  readonly tracing?: TracingSettings | null;
}

/** Let it through, refuse it, or let this worker count alone. */
export type StateOnError = 'open' | 'closed' | 'local';

/** A middleware of the user's own. */
export interface PluginSettings {
  readonly name: string;
  /** Absolute path of the module. */
  readonly module: string;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'common' | 'json';
  readonly noColor: boolean;
  /** Null writes to standard output. */
  readonly filePath: string | null;
  /** Null or absent: the file is somebody else's to rotate. */
  readonly rotation?: RotationSettings | null;
}

/** When a log file is moved aside, and what becomes of those. */
export interface RotationSettings {
  readonly maxBytes: number;
  /** Milliseconds; 0 keeps them. */
  readonly maxAge: number;
  /** 0 keeps all. */
  readonly maxBackups: number;
  readonly compress: boolean;
}

export type FieldMode = 'keep' | 'drop';
export type HeaderMode = 'keep' | 'drop' | 'redact';

export interface AccessLogSettings {
  /** Null writes to standard output. */
  readonly filePath: string | null;
  readonly format: 'common' | 'json' | 'genericCLF' | 'short';
  readonly filters: {
    /** Inclusive ranges of status codes; empty keeps all. */
    readonly statusCodes: readonly (readonly [number, number])[];
    readonly retryAttempts: boolean;
    /** Milliseconds; 0 is no filter. */
    readonly minDuration: number;
  };
  readonly fields: {
    readonly defaultMode: FieldMode;
    /** Keys as Traefik names the fields. */
    readonly names: Readonly<Record<string, FieldMode>>;
    readonly headersDefaultMode: HeaderMode;
    /** Keys in lower case. */
    readonly headers: Readonly<Record<string, HeaderMode>>;
    readonly queryParameters: FieldMode;
  };
  /** Lines kept in memory before a write. */
  readonly bufferingSize: number;
  readonly addInternals: boolean;
  /** Absent: to the file alone, when there is one. */
  readonly dualOutput?: boolean;
  readonly rotation?: RotationSettings | null;
}
