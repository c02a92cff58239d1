// A compose file as a gateway in it would see it: its flags, its mounted files, its neighbours' labels.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gatewayArguments, readCompose } from '../config/sources/compose.ts';
import type { ComposeService } from '../config/sources/compose.ts';
import { parseDotenv } from '../config/sources/compose/dotenv.ts';
import { parseYaml } from '../config/sources/yaml.ts';
import type { StaticInput } from '../config/static/load.ts';
import type { StaticConfig } from '../config/static/schema.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { FileTarget } from '../providers/file/store.ts';
import { dockerConfig } from './compose-docker.ts';
import { filesMountedBelow, hostPath, notMounted } from './compose-mounts.ts';
import { composePlaces } from './compose-places.ts';
import type { StandIns } from './load.ts';

export interface ComposeRequest extends StaticInput {
  readonly file: string;
  /** Dynamic files named beside it; without any those the gateway has mounted. */
  readonly targets: readonly FileTarget[];
}

export interface ComposeProject {
  readonly input: StaticInput;
  readonly standIns: StandIns;
  readonly diagnostics: readonly Diagnostic[];
  /** A diagnostic about a flag, a variable or a label, at its place in the compose file. */
  readonly place: (diagnostic: Diagnostic) => Diagnostic;
}

/** Bytes of `.env` that are read. */
const maxDotenv = 1024 * 1024;

/** What cannot be read at all is one diagnostic. */
export function composeProject(
  request: ComposeRequest,
): ComposeProject | { readonly diagnostic: Diagnostic } {
  const file = path.resolve(request.cwd, request.file);
  const folder = path.dirname(file);
  const { tree, diagnostics: syntax } = parseYaml(readFileSync(file, 'utf8'), request.file);
  const [broken] = syntax.filter(({ severity }) => severity === 'error');
  if (tree === null) {
    const message = 'the compose file is empty';
    const where = { source: request.file };
    return { diagnostic: broken ?? { severity: 'error', code: 'config.syntax', message, where } };
  }
  const env = { ...dotenv(folder, request.env), ...request.env };
  const compose = readCompose(tree, { env, folder: path.basename(folder) });
  const [gateway, ...others] = compose.gateways;
  const diagnostics = [...syntax, ...compose.diagnostics, ...others.map(anotherGateway)];
  const isGiven = request.argv.length > 0;
  const found = gateway === undefined || isGiven ? null : gatewayInput(gateway, request.file, folder);
  if (gateway === undefined && !isGiven) diagnostics.push(noGateway(request.file));
  if (found !== null) diagnostics.push(...found.diagnostics);
  const input: StaticInput = found?.input ?? { argv: request.argv, env: {}, cwd: request.cwd, folders: [] };
  const standIns: StandIns = {
    targetsOf: (config) =>
      targetsOf(request, { config, gateway: found === null ? undefined : gateway, folder, diagnostics }),
    sourcesOf: (config, isWhole) =>
      dockerConfig(compose, config, {
        // In the form of version 1, say, the provider is written where nobody looks for it.
        isGatewayKnown: found !== null && isWhole,
        env: input.env,
        file: request.file,
      }),
  };
  return {
    input,
    standIns,
    diagnostics,
    place: composePlaces(compose, found === null ? undefined : gateway),
  };
}

function dotenv(folder: string, env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    return parseDotenv(readFileSync(path.join(folder, '.env'), 'utf8').slice(0, maxDotenv), env);
  } catch {
    return {};
  }
}

interface GatewayInput {
  readonly input: StaticInput;
  readonly diagnostics: readonly Diagnostic[];
}

/** Flags, variables and static file of the gateway; paths in its container become paths here. */
function gatewayInput(gateway: ComposeService, source: string, folder: string): GatewayInput {
  const diagnostics: Diagnostic[] = [];
  const argv = gatewayArguments(gateway).map(({ text }) => text);
  const named = argv.findIndex((argument) => /^--?configfile(?:=|$)/i.test(argument));
  const written = named === -1 ? undefined : (argv[named]?.split('=')[1] ?? argv[named + 1]);
  if (written !== undefined) {
    const file = hostPath(gateway, written, folder);
    if (file === null || !existsSync(file)) diagnostics.push(notMounted(gateway, written, source));
    else argv.splice(named, argv[named]?.includes('=') === true ? 1 : 2, `--configFile=${file}`);
  } else {
    const usual = ['toml', 'yaml', 'yml'].map((extension) => `/etc/traefik/traefik.${extension}`);
    const found = usual
      .map((candidate) => hostPath(gateway, candidate, folder))
      .find((candidate) => candidate !== null && existsSync(candidate));
    if (found !== undefined && found !== null) argv.unshift(`--configFile=${found}`);
  }
  const env = Object.fromEntries([...gateway.environment].map(([name, { text }]) => [name, text]));
  return { input: { argv, env, cwd: folder, folders: [] }, diagnostics };
}

interface Mounted {
  readonly config: StaticConfig;
  readonly gateway: ComposeService | undefined;
  readonly folder: string;
  readonly diagnostics: Diagnostic[];
}

function targetsOf(
  { targets, file }: ComposeRequest,
  { config, gateway, folder, diagnostics }: Mounted,
): readonly FileTarget[] | undefined {
  if (targets.length > 0 || gateway === undefined) return targets.length > 0 ? targets : undefined;
  const { directory = '', filename = '' } = config.providers.file ?? {};
  const written = directory === '' ? filename : directory;
  if (written === '') return [];
  const host = hostPath(gateway, written, folder);
  const isThere = host !== null && existsSync(host);
  const inside = directory === '' ? [] : filesMountedBelow(gateway, directory, folder);
  const missing = inside.filter((mounted) => mounted.host === null);
  for (const { target, where } of missing) diagnostics.push(notMounted(gateway, target, file, where));
  if (!isThere && inside.length === 0) diagnostics.push(notMounted(gateway, written, file));
  return [
    ...(isThere ? [directory === '' ? { filename: host } : { directory: host }] : []),
    ...inside.flatMap(({ host: found, isFolder }) =>
      found === null ? [] : [isFolder ? { directory: found } : { filename: found }],
    ),
  ];
}

function anotherGateway({ name, where }: ComposeService): Diagnostic {
  return {
    severity: 'info',
    code: 'config.several_gateways',
    message: `${name} is a gateway as well: only the first one's configuration is looked at`,
    where,
  };
}

function noGateway(source: string): Diagnostic {
  return {
    severity: 'info',
    code: 'config.no_gateway',
    message: 'no service runs Traefik or Portcullis: labels are read as for a gateway elsewhere',
    where: { source },
    hint: 'name the static file as well, or give the flags',
  };
}
