// Why a single router is off, although the Runtime runs.

import type { Diagnostic } from '../../model/diagnostic.ts';

export function problem(code: string, name: string, message: string): Diagnostic {
  return {
    severity: 'warning',
    code,
    message: `${name}: ${message}`,
    where: { source: 'runtime', path: name },
  };
}
