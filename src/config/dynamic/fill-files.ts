// Options that name files → the same options with the files' texts in them.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { definitions } from './middleware-schema.ts';
import type { MiddlewareConfig, Written } from './provider-config.ts';

export interface FilledMiddleware {
  /** The very same object when it names no file. */
  readonly written: Written<MiddlewareConfig>;
  readonly diagnostics: readonly Diagnostic[];
}

/** `read` gives a file's text or throws `Error`: the middleware is broken then. */
export function fillFiles(
  name: string,
  written: Written<MiddlewareConfig>,
  read: (path: string) => string,
): FilledMiddleware {
  const { kind, options } = written.value;
  const withFiles = definitions.get(kind)?.withFiles;
  if (withFiles === undefined || written.errors.length > 0) return { written, diagnostics: [] };
  try {
    const filled = withFiles(options, read);
    return { written: { ...written, value: { kind, options: filled } }, diagnostics: [] };
  } catch (error) {
    const message = `middleware ${name}: ${(error as Error).message}`;
    return {
      written: { ...written, errors: [...written.errors, message] },
      diagnostics: [{ severity: 'error', code: 'config.named_file', message, where: written.where }],
    };
  }
}
