// The rule of routers that have none: a template over the container's names and labels.

import { TemplateError } from '../file/template/error.ts';
import { runTemplate } from '../file/template/evaluator.ts';
import { parseTemplate } from '../file/template/parser.ts';
import type { Value } from '../file/template/values.ts';
import type { Container } from './container.ts';
import { baseName } from './names.ts';

/** A rule, trimmed and maybe empty, or what is wrong. Never throws. */
export type DefaultRule = (container: Container) => { readonly rule: string } | { readonly problem: string };

/** Longest template, in UTF-16 units. */
const maxTemplateLength = 16_384;

/** Knows `.Name` (normalised), `.ContainerName` and `.Labels`. `problem` when the template cannot be read. */
export function compileDefaultRule(
  template: string,
  env: NodeJS.ProcessEnv,
): { readonly render: DefaultRule } | { readonly problem: string } {
  if (template.length > maxTemplateLength)
    return { problem: `it is longer than ${maxTemplateLength} characters` };
  const parsed = attempt(() => parseTemplate(template));
  if ('problem' in parsed) return parsed;
  return {
    render(container) {
      const found = attempt(() => runTemplate(parsed.value, env, dataOf(container)));
      return 'problem' in found ? found : { rule: found.value.trim() };
    },
  };
}

function dataOf(container: Container): ReadonlyMap<string, Value> {
  return new Map<string, Value>([
    ['Name', baseName(container)],
    ['ContainerName', container.name],
    ['Labels', new Map(Object.entries(container.labels))],
  ]);
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly problem: string } {
  try {
    return { value: work() };
  } catch (error) {
    // A RangeError is a text beyond what the engine can hold.
    return { problem: error instanceof TemplateError ? error.message : 'it is too large or too deep' };
  }
}
