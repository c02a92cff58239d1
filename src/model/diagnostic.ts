// What is wrong with a configuration, as a value: collected, never thrown one by one.

export type Severity = 'error' | 'warning' | 'info';

/** Where a value was written. */
export interface Place {
  /** A file's path, `flag`, `env TRAEFIK_X`, or a container's name. */
  readonly source: string;
  /** 1-based; absent where the source has no lines (flags, env, labels). */
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the key, e.g. `http.routers.api.rule`. */
  readonly path?: string;
}

export interface Diagnostic {
  readonly severity: Severity;
  /** Stable and dotted, e.g. `config.unknown_key`. */
  readonly code: string;
  /** What is wrong, with the value and what was expected; one sentence, no final full stop. */
  readonly message: string;
  readonly where: Place;
  /** What to write instead. */
  readonly hint?: string;
  readonly related?: readonly Place[];
}
