// One file: bytes → template → tree → objects, with the certificates they name read in.

import { extname } from 'node:path';
import { loadDynamic, rulesParse } from '../../config/dynamic/load.ts';
import type { LoadedObject, LoadedObjects } from '../../config/dynamic/load-each.ts';
import type { DynamicConfig } from '../../config/dynamic/provider-config.ts';
import { parseToml } from '../../config/sources/toml.ts';
import type { Tree } from '../../config/tree.ts';
import { parseYamlAgain, type YamlMemory } from '../../config/sources/yaml-again.ts';
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
  /** For the next text of this file. */
  readonly memory: ReadMemory;
}

/** What is remembered of a file's text before, so that what is the same in the next one is not read again. */
export interface ReadMemory {
  readonly yaml: YamlMemory | null;
  readonly objects: LoadedObjects;
}

/** Never throws. `before` is what was read of the same file before, whether it was sound or not. */
export function readDynamic(
  path: string,
  text: string,
  settings: ReadSettings,
  before: ReadMemory | null = null,
): ReadFile {
  const rendered = renderTemplate(text, path, settings.env);
  const unread = { yaml: before?.yaml ?? null, objects: before?.objects ?? new Map() };
  if (!rendered.ok) {
    return { config: null, diagnostics: [rendered.diagnostic], sound: false, memory: unread };
  }
  const isToml = extname(path).toLowerCase() === '.toml';
  const {
    parsed,
    memory: yaml,
    moved,
  } = isToml
    ? { parsed: parseToml(rendered.text, path), memory: null, moved: undefined }
    : parseYamlAgain(rendered.text, path, before?.yaml ?? null);
  const isTemplated = lineCount(rendered.text) !== lineCount(text);
  if (parsed.diagnostics.some(({ severity }) => severity === 'error')) {
    return {
      config: null,
      diagnostics: placed(parsed.diagnostics, isTemplated),
      sound: false,
      memory: unread,
    };
  }
  const objects = new Map<Tree, LoadedObject>();
  const loaded = loadDynamic(parsed.tree, path, { known: unread.objects, loaded: objects, moved });
  const pems = readPems(loaded.config);
  return {
    config: pems.config,
    diagnostics: placed([...parsed.diagnostics, ...loaded.diagnostics, ...pems.diagnostics], isTemplated),
    sound: loaded.sound && rulesParse(loaded.config, settings.ruleSyntax) && pems.diagnostics.length === 0,
    // Without the tree of the text before, no object would be known again.
    memory: { yaml, objects: yaml === null ? new Map() : objects },
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
