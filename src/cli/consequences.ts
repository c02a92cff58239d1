// What the dynamic part seems to miss only because the static part could not be read.

import type { Diagnostic } from '../model/diagnostic.ts';

type Row = readonly [broken: RegExp, isConsequence: (diagnostic: Diagnostic) => boolean];

/** By the path that is broken, in lower case; those at the root are the names of version 1, too. */
const table: readonly Row[] = [
  [/^entrypoints?$|^defaultentrypoints$/, ({ code }) => /^config\.(?:unknown|no)_entry_point$/.test(code)],
  [/^(?:certificatesresolvers|acme)$/, ({ code }) => code === 'config.unknown_resolver'],
  [/^providers$|^(?:providers\.)?docker(?:\.|$)/, missing('@docker')],
  [/^providers$|^(?:providers\.)?file(?:\.|$)/, missing('@file')],
  [/^(?:api|ping|metrics)(?:\.|$)/, missing('@internal')],
  [
    /^(?:api|ping|metrics)(?:\.|$)/,
    ({ code, message }) => code === 'config.unknown_entry_point' && message.includes('traefik'),
  ],
  [
    /^plugins(?:\.|$)/,
    ({ code, where }) => code === 'config.unknown_key' && /\.plugin\./i.test(where.path ?? ''),
  ],
  [/^core(?:\.|$)/, ({ code }) => code === 'config.rule'],
];

/** Of a static part with errors; `broken` as `loadStatic` names them. */
export function withoutConsequences(
  diagnostics: readonly Diagnostic[],
  broken: readonly string[],
): readonly Diagnostic[] {
  const rows = table.filter(([pattern]) => broken.some((path) => pattern.test(path)));
  // The gateway's own routers are as the static part asks for them.
  return diagnostics.filter(
    (diagnostic) =>
      diagnostic.where.source !== 'internal' && !rows.some(([, isConsequence]) => isConsequence(diagnostic)),
  );
}

function missing(suffix: string): Row[1] {
  return ({ code, message }) => code.startsWith('config.unknown_') && message.includes(suffix);
}
