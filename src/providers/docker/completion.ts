// What is found while one container's labels are completed: diagnostics, and the objects that are broken by them.

import type { Diagnostic } from '../../model/diagnostic.ts';

export interface Completion {
  readonly diagnostics: Diagnostic[];
  /** Errors of objects that decoding alone would take for sound, by section and name. */
  readonly broken: Record<'routers' | 'services', Map<string, string[]>>;
}

export function newCompletion(): Completion {
  return { diagnostics: [], broken: { routers: new Map(), services: new Map() } };
}

/** The object keeps its place, and what needs it answers 503. */
export function breakObject(
  { diagnostics, broken }: Completion,
  section: 'routers' | 'services',
  name: string,
  diagnostic: Diagnostic,
): void {
  diagnostics.push(diagnostic);
  const errors = broken[section].get(name);
  if (errors === undefined) broken[section].set(name, [diagnostic.message]);
  else errors.push(diagnostic.message);
}
