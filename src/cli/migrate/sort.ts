// Diagnostics and a Snapshot, sorted by what they mean to someone who moves.

import { formatPlace, sortDiagnostics } from '../../config/diagnostics.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Snapshot } from '../../model/snapshot.ts';

export interface Change {
  readonly code: string;
  /** `file:line:column`, a flag or a variable. */
  readonly place: string;
  readonly message: string;
  /** What to write instead; may be empty. */
  readonly instead: string;
  /** Whether something does not work until this is done. */
  readonly isRequired: boolean;
}

export interface Migration {
  /** Names of what works as it is, without the gateway's own. */
  readonly carries: {
    readonly routers: readonly string[];
    readonly services: readonly string[];
    readonly middlewares: readonly string[];
  };
  readonly changes: readonly Change[];
  readonly cannot: readonly Change[];
  readonly notes: readonly Change[];
}

/** `snapshot` is null when the static part cannot be read. */
export function migrationOf(diagnostics: readonly Diagnostic[], snapshot: Snapshot | null): Migration {
  const sorted = sortDiagnostics(diagnostics);
  const errors = sorted.filter(({ severity }) => severity === 'error');
  return {
    carries: {
      routers: soundNames(snapshot?.routers ?? []),
      services: soundNames(snapshot?.services ?? []),
      middlewares: soundNames(snapshot?.middlewares ?? []),
    },
    changes: [
      ...errors.filter(isEditable).map(requiredChange),
      ...sorted.filter(({ severity }) => severity === 'warning').map(changeOf),
    ],
    cannot: errors.filter((diagnostic) => !isEditable(diagnostic)).map(changeOf),
    notes: sorted.filter(({ severity }) => severity === 'info').map(changeOf),
  };
}

function soundNames(
  objects: readonly {
    readonly name: string;
    readonly provider: string;
    readonly errors: readonly string[];
  }[],
): string[] {
  return objects
    .filter(({ provider, errors }) => provider !== 'internal' && errors.length === 0)
    .map(({ name }) => name);
}

function changeOf({ severity, code, where, message, hint = '' }: Diagnostic): Change {
  return { code, place: formatPlace(where), message, instead: hint, isRequired: severity === 'error' };
}

/** Left-overs and typos: another line does the same. */
const editable: ReadonlySet<string> = new Set(['config.removed', 'config.unknown_key', 'config.rule']);

function isEditable({ code, hint }: Diagnostic): boolean {
  return editable.has(code) && hint !== undefined;
}

/** A rule that only version 2 could read can also stay as it is. */
function requiredChange(diagnostic: Diagnostic): Change {
  const change = changeOf(diagnostic);
  const isOldRule = /takes \d+ argument|unknown matcher (?:Headers|HostHeader|HeadersRegexp)\b/.test(
    change.message,
  );
  if (!isOldRule) return change;
  const whole = 'or keep it, with `ruleSyntax: v2` on the router or `core.defaultRuleSyntax: v2` for all';
  return { ...change, instead: `${change.instead}; ${whole}` };
}
