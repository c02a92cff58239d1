// Files named on a command line: which of them is static, which dynamic, which a compose file.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isCompose } from '../config/sources/compose.ts';
import { parseToml } from '../config/sources/toml.ts';
import { parseYaml } from '../config/sources/yaml.ts';
import { staticRoots } from '../config/static/keys.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { FileTarget } from '../providers/file/store.ts';
import type { CommandContext } from './command.ts';
import { composeProject } from './compose.ts';
import { loadConfiguration } from './load.ts';
import type { LoadedConfiguration } from './load.ts';

export interface Inputs {
  readonly staticFile: string | undefined;
  /** At most one; more are `extra`. */
  readonly composeFile: string | undefined;
  readonly dynamic: readonly string[];
  /** Files of a kind that only one can be of. */
  readonly extra: readonly string[];
  readonly flags: readonly string[];
}

/** Files come first, flags after them. */
export function readInputs({ argv, cwd }: CommandContext): Inputs {
  const firstFlag = argv.findIndex((argument) => argument.startsWith('-'));
  const files = firstFlag === -1 ? argv : argv.slice(0, firstFlag);
  const kinds = files.map((file) => ({ file, kind: kindOf(path.resolve(cwd, file)) }));
  const of = (wanted: FileKind): string[] =>
    kinds.filter(({ kind }) => kind === wanted).map(({ file }) => file);
  const [staticFile, ...moreStatic] = of('static');
  const [composeFile, ...moreCompose] = of('compose');
  return {
    staticFile,
    composeFile,
    // A second static file may still hold dynamic sections.
    dynamic: [...of('dynamic'), ...moreStatic],
    extra: moreCompose,
    flags: firstFlag === -1 ? [] : argv.slice(firstFlag),
  };
}

/** Loads what the inputs name; without any file what the gateway itself would read. */
export async function loadInputs(context: CommandContext): Promise<LoadedConfiguration> {
  const inputs = readInputs(context);
  const argv = [
    ...(inputs.staticFile === undefined ? [] : [`--configFile=${inputs.staticFile}`]),
    ...inputs.flags,
  ];
  const targets = inputs.dynamic.map((file) => targetOf(path.resolve(context.cwd, file)));
  const given = { argv, env: context.env, cwd: context.cwd };
  if (inputs.composeFile !== undefined) {
    const project = composeProject({ file: inputs.composeFile, ...given, targets });
    if ('diagnostic' in project) return nothing(project.diagnostic);
    const loaded = await loadConfiguration(project.input, project.standIns);
    const diagnostics = [...project.diagnostics, ...inputs.extra.map(onlyOne), ...loaded.diagnostics].map(
      project.place,
    );
    return {
      ...loaded,
      diagnostics: loaded.usedSource === 'none' ? withoutStatic(diagnostics) : diagnostics,
    };
  }
  if (targets.length === 0) return loadConfiguration(given);
  const loaded = await loadConfiguration(given, { targetsOf: () => targets });
  return loaded.usedSource === 'none'
    ? { ...loaded, diagnostics: withoutStatic(loaded.diagnostics) }
    : loaded;
}

function nothing(diagnostic: Diagnostic): LoadedConfiguration {
  return { resolved: null, snapshot: null, diagnostics: [diagnostic], usedSource: 'none' };
}

function onlyOne(file: string): Diagnostic {
  return {
    severity: 'error',
    code: 'config.several_compose',
    message: 'one compose file at a time can be looked at, and this is a second one',
    where: { source: file },
    hint: 'put them together with `docker compose -f a.yml -f b.yml config`',
  };
}

function targetOf(file: string): FileTarget {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
    ? { directory: file }
    : { filename: file };
}

/** Of dynamic files alone: whether their entry points exist, nobody can say. */
function withoutStatic(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const needsStatic = ({ code, message }: Diagnostic): boolean =>
    /^config\.(?:unknown|no)_entry_point$/.test(code) ||
    (code === 'config.unknown_service' && message.includes('@internal'));
  const kept = diagnostics.filter((diagnostic) => !needsStatic(diagnostic));
  if (kept.length === diagnostics.length) return kept;
  const message =
    'no static configuration is given: entry points and services of the gateway are not checked';
  const hint = 'name the static file as well, or give the flags';
  return [
    ...kept,
    { severity: 'info', code: 'config.no_static', message, hint, where: { source: 'static configuration' } },
  ];
}

type FileKind = 'static' | 'dynamic' | 'compose';

/** By content: a root key only static configuration has, or a map of services. A directory is dynamic. */
function kindOf(file: string): FileKind {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'dynamic' : 'static';
  }
  const { tree } =
    path.extname(file).toLowerCase() === '.toml' ? parseToml(text, file) : parseYaml(text, file);
  if (tree === null && isComposeName(file)) return 'compose';
  if (isCompose(tree)) return 'compose';
  const roots = new Set(staticRoots().map((root) => root.toLowerCase()));
  const isStatic =
    tree?.kind === 'map' && [...tree.entries.keys()].some((key) => roots.has(key.toLowerCase()));
  return isStatic ? 'static' : 'dynamic';
}

/** A compose file that cannot be parsed shows what it is in its name only. */
function isComposeName(file: string): boolean {
  return /^(?:docker-)?compose[^/]*\.ya?ml$/i.test(path.basename(file));
}
