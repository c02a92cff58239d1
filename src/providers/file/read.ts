// One file: bytes → template → tree → objects, with the certificates they name read in.

import { extname } from 'node:path';
import { loadDynamic, rulesParse } from '../../config/dynamic/load.ts';
import type { DynamicConfig } from '../../config/dynamic/provider-config.ts';
import { parseToml } from '../../config/sources/toml.ts';
import { parseYaml } from '../../config/sources/yaml.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import { readPems } from './pem.ts';
import { renderTemplate } from './template.ts';

export interface ReadSettings {
  readonly env: NodeJS.ProcessEnv;
  /** Of routers that name none. */
  readonly ruleSyntax: RuleSyntax;
}

export interface ReadFile {
  /** Null when the text cannot be parsed at all. */
  readonly config: DynamicConfig | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Whether it may replace an older content of this file. */
  readonly sound: boolean;
}

/** Never throws. */
export function readDynamic(path: string, text: string, settings: ReadSettings): ReadFile {
  const rendered = renderTemplate(text, path, settings.env);
  if (!rendered.ok) return { config: null, diagnostics: [rendered.diagnostic], sound: false };
  const parse = extname(path).toLowerCase() === '.toml' ? parseToml : parseYaml;
  const parsed = parse(rendered.text, path);
  const isTemplated = lineCount(rendered.text) !== lineCount(text);
  if (parsed.diagnostics.some(({ severity }) => severity === 'error')) {
    return { config: null, diagnostics: placed(parsed.diagnostics, isTemplated), sound: false };
  }
  const loaded = loadDynamic(parsed.tree, path);
  const pems = readPems(loaded.config);
  return {
    config: pems.config,
    diagnostics: placed([...parsed.diagnostics, ...loaded.diagnostics, ...pems.diagnostics], isTemplated),
    sound: loaded.sound && rulesParse(loaded.config, settings.ruleSyntax) && pems.diagnostics.length === 0,
  };
}

function lineCount(text: string): number {
  return text.split('\n').length;
}

/** Lines of a text that templates wrote are not the lines of the file. */
function placed(diagnostics: readonly Diagnostic[], isTemplated: boolean): Diagnostic[] {
  if (!isTemplated) return [...diagnostics];
  return diagnostics.map((diagnostic) => ({
    ...diagnostic,
    message: `${diagnostic.message} (line after templates)`,
  }));
}
