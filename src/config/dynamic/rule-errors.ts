// Rules that cannot be read, told before the routers that have them are resolved.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import { compileRule } from '../../rules/compile.ts';
import type { DynamicConfig } from './provider-config.ts';

/** `ruleSyntax` is for routers that name none. What isn't written is no error here. */
export function ruleErrors(config: DynamicConfig, ruleSyntax: RuleSyntax): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [name, { value, where, keys }] of config.routers) {
    if (value.rule === '') continue;
    const compiled = compileRule(value.rule, value.ruleSyntax ?? ruleSyntax);
    if (compiled.ok) continue;
    const { message, offset, hint } = compiled.error;
    diagnostics.push({
      severity: 'error',
      code: 'config.rule',
      message: `router ${name}: the rule cannot be read at character ${offset + 1}: ${message}`,
      where: keys?.get('rule') ?? where,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return diagnostics;
}
