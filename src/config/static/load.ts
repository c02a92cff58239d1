// Reads the static configuration from the one source that counts: file, else flags, else environment.

import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { decode } from '../decode.ts';
import { configVariables, parseEnv } from '../sources/env.ts';
import { parseFlags } from '../sources/flags.ts';
import { parseToml } from '../sources/toml.ts';
import { parseYaml } from '../sources/yaml.ts';
import { kubernetesManifest } from '../sources/manifest.ts';
import type { Tree } from '../tree.ts';
import { brokenPaths, toldIn, withNames, withoutFollowUps } from './follow-ups.ts';
import { flagKindOf, staticRoots, statusDiagnostics } from './keys.ts';
import { readPlugins } from './plugins.ts';
import { placed } from './problem.ts';
import { resolveStatic } from './resolve.ts';
import { staticSchema } from './schema.ts';
import type { StaticConfig } from './schema.ts';

export interface StaticInput {
  /** Flags only: no program name, no command. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where a file is looked for when none is named; the usual places unless given. */
  readonly folders?: readonly string[];
}

export interface LoadedStatic {
  /** Null when anything is an error. */
  readonly config: StaticConfig | null;
  /** What could be read in spite of errors: to look further, not to run with. */
  readonly draft: StaticConfig | null;
  /** Without a `config` also what `resolveStatic` finds in the draft. */
  readonly diagnostics: Diagnostic[];
  /** Lower-case dotted paths of the keys that are wrong or unknown: what is missing for them need not be told. */
  readonly broken: readonly string[];
  readonly usedSource: 'file' | 'flags' | 'env' | 'none';
  /** Sources that hold something and were not read, in words: `flags (--log.level)`. */
  readonly ignoredSources: string[];
  readonly files: string[];
  /** What was written, for `placed`; null when there is nothing. */
  readonly tree: Tree | null;
}

/** Bytes of a static configuration file. */
const maxFileBytes = 8 * 1024 * 1024;
/** Ignored flags and variables a message names. */
const maxNamed = 5;

/** Never throws: what is wrong comes as diagnostics. */
export function loadStatic(input: StaticInput): LoadedStatic {
  const { configFile, rest } = takeConfigFile(input.argv);
  const roots = staticRoots();
  const variables = configVariables(input.env, roots);
  const ignoredVariables = variables.length === 0 ? [] : [`environment (${named(variables)})`];
  const file = configFile === undefined ? defaultFile(input) : path.resolve(input.cwd, configFile);
  if (file !== undefined) {
    const ignored = [
      ...(rest.length === 0 ? [] : [`flags (${named(rest.map(flagName))})`]),
      ...ignoredVariables,
    ];
    return loadFile(file, configFile ?? file, ignored);
  }
  if (rest.length > 0) {
    const { tree, diagnostics } = parseFlags(rest, flagKindOf);
    return finish(tree, diagnostics, { usedSource: 'flags', ignoredSources: ignoredVariables, files: [] });
  }
  const { tree, diagnostics } = parseEnv(input.env, roots);
  return finish(tree, diagnostics, {
    usedSource: tree === null ? 'none' : 'env',
    ignoredSources: [],
    files: [],
  });
}

interface Origin {
  /** Which source was read, and which were not. */
  readonly usedSource: LoadedStatic['usedSource'];
  readonly ignoredSources: string[];
  readonly files: string[];
}

function takeConfigFile(argv: readonly string[]): { configFile: string | undefined; rest: string[] } {
  let configFile: string | undefined;
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] as string;
    const match = /^--?configfile(?:=([\s\S]*))?$/i.exec(argument);
    if (match === null) rest.push(argument);
    else configFile = match[1] ?? argv[(index += 1)] ?? '';
    if (argument === '--') {
      rest.push(...argv.slice(index + 1));
      break;
    }
  }
  return { configFile, rest };
}

function defaultFile({ env, cwd, folders: given }: StaticInput): string | undefined {
  const home = env['HOME'];
  const configHome = env['XDG_CONFIG_HOME'];
  const folders = given ?? [
    '/etc/traefik',
    ...(configHome === undefined || configHome === '' ? [] : [configHome]),
    ...(home === undefined || home === '' ? [] : [path.join(home, '.config')]),
    cwd,
  ];
  const candidates = folders.flatMap((folder) =>
    ['toml', 'yaml', 'yml'].map((extension) => path.join(folder, `traefik.${extension}`)),
  );
  return candidates.find((candidate) => existsSync(candidate));
}

const nothing = { config: null, draft: null, tree: null, broken: [] } as const;

function loadFile(file: string, shown: string, ignoredSources: string[]): LoadedStatic {
  const origin: Origin = { usedSource: 'file', ignoredSources, files: [file] };
  const read = readText(file, shown);
  if (typeof read !== 'string') return { ...nothing, diagnostics: [read], ...origin };
  const isToml = path.extname(file).toLowerCase() === '.toml';
  const { tree, diagnostics } = isToml ? parseToml(read, shown) : parseYaml(read, shown);
  if (tree === null && diagnostics.length > 0) return { ...nothing, diagnostics, ...origin };
  return finish(tree, diagnostics, origin);
}

function readText(file: string, shown: string): string | Diagnostic {
  const where = { source: shown };
  const problem = (message: string): Diagnostic => ({
    severity: 'error',
    code: 'config.file',
    message,
    where,
  });
  try {
    const { size } = statSync(file);
    if (size > maxFileBytes) return problem(`the file has more than ${maxFileBytes} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EISDIR') {
      const origin = 'Docker makes one when a file to be mounted is not there';
      return problem(`the configuration file cannot be read: it is a directory (${origin})`);
    }
    if (code === 'ENOENT') return problem('the configuration file does not exist');
    return problem(`the configuration file cannot be read (${code ?? 'unknown reason'})`);
  }
}

function finish(tree: Tree | null, sourceDiagnostics: readonly Diagnostic[], origin: Origin): LoadedStatic {
  const manifest = kubernetesManifest(tree);
  if (manifest !== null) return { ...nothing, diagnostics: [manifest], ...origin };
  const source = tree?.where.source ?? origin.usedSource;
  const root: Tree = tree ?? { kind: 'map', entries: new Map(), where: { source } };
  const unknownTopLevel = origin.usedSource === 'file' ? 'warn' : 'error';
  const decoded = decode(staticSchema, root, { unknownTopLevel, drafts: true });
  const { draft: found = null } = decoded;
  const ownDiagnostics = isReadTwice(found, origin)
    ? decoded.diagnostics.filter(({ where }) => !isDynamicRoot(where.path))
    : decoded.diagnostics;
  const diagnostics = [...sourceDiagnostics, ...statusDiagnostics(root), ...ownDiagnostics];
  if (origin.ignoredSources.length > 0) diagnostics.push(ignoredSource(origin, source));
  const told = toldIn(diagnostics);
  const draft = found === null ? null : withNames(found, root, told);
  if (draft !== null) diagnostics.push(...readPlugins(draft, root, origin.files[0]));
  const isBroken = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (isBroken && draft !== null) {
    const further = withoutFollowUps(resolveStatic(draft, '').diagnostics, root, told);
    diagnostics.push(...placed(further, tree));
  }
  const broken = brokenPaths(root, told);
  return { config: isBroken ? null : draft, draft, diagnostics, broken, tree, ...origin };
}

function ignoredSource({ usedSource, ignoredSources }: Origin, source: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.ignored_source',
    message: `only the ${usedSource} is read; ignored: ${ignoredSources.join('; ')}`,
    where: { source },
    hint: 'sources are not merged: a file wins over flags, flags over the environment',
  };
}

/** Whether the file provider reads the static file as well: then it may hold both kinds. */
function isReadTwice(config: StaticConfig | null, { files: [own] }: Origin): boolean {
  const { directory, filename } = config?.providers.file ?? {};
  if (own === undefined) return false;
  if (directory !== undefined && directory !== '') return own.startsWith(path.resolve(directory) + path.sep);
  return filename !== undefined && filename !== '' && path.resolve(filename) === own;
}

function isDynamicRoot(key: string | undefined): boolean {
  return /^(?:http|tls|tcp|udp)$/i.test(key ?? '');
}

function flagName(argument: string): string {
  return argument.split('=', 1)[0] ?? '';
}

function named(names: readonly string[]): string {
  const flags = names.filter((name) => name.startsWith('-') || name.startsWith('TRAEFIK_'));
  const shown = flags.slice(0, maxNamed).map((name) => name.slice(0, 80));
  return flags.length > maxNamed
    ? `${shown.join(', ')} and ${flags.length - maxNamed} more`
    : shown.join(', ');
}
