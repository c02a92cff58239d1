// The Go-template subset that dynamic files run through before they are parsed.

import type { Diagnostic } from '../../model/diagnostic.ts';
import { TemplateError } from './template/error.ts';
import { runTemplate } from './template/evaluator.ts';
import { parseTemplate } from './template/parser.ts';

export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** At most 16 MiB of output and 1,000,000 steps. Never throws; values of the environment never reach a message. */
export function renderTemplate(text: string, source: string, env: NodeJS.ProcessEnv): Rendered {
  if (!text.includes('{{')) return { ok: true, text };
  try {
    return { ok: true, text: runTemplate(parseTemplate(text), env) };
  } catch (error) {
    // A RangeError is a text beyond what the engine can hold: the same mistake as beyond our bound.
    const isOurs = error instanceof TemplateError;
    const message = isOurs ? error.message : 'it is too large or too deep';
    const place = isOurs ? lineOf(text, error.offset) : {};
    return {
      ok: false,
      diagnostic: {
        severity: 'error',
        code: 'config.template',
        message: `the template cannot be run: ${message}`,
        where: { source, ...place },
        ...hintOf(error),
      },
    };
  }
}

function hintOf(error: unknown): { readonly hint?: string } {
  if (!(error instanceof TemplateError)) return {};
  if (error.hint !== undefined) return { hint: error.hint };
  return error.message.includes('not supported') ? { hint: 'to write {{ itself, use {{`{{`}}' } : {};
}

function lineOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
