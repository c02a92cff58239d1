// A compose file: which services there are, their labels with places, and which of them is a gateway.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { entryOf, textOf } from './compose/reading.ts';
import type { PlacedText, ServiceReading } from './compose/reading.ts';
import { readService } from './compose/service.ts';
import type { ComposeService } from './compose/service.ts';

export type { ComposeService, Mount } from './compose/service.ts';

export interface ComposeFile {
  readonly project: string;
  readonly services: readonly ComposeService[];
  /** Those of them that run Traefik or this gateway; their labels count like any others. */
  readonly gateways: readonly ComposeService[];
  /** What a network of the file is called outside of it, by its name inside. */
  readonly networks: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ComposeInput {
  /** The process's variables over those of `.env`. */
  readonly env: NodeJS.ProcessEnv;
  /** Name of the folder the file is in: what a project is called by default. */
  readonly folder: string;
}

/** Services of one file. */
const maxServices = 10_000;

/** A map with `services` that is a map. */
export function isCompose(tree: Tree | null): boolean {
  return entryOf(tree, 'services')?.node.kind === 'map';
}

/** Never throws. `extends`, `include` and further files are named and not followed. */
export function readCompose(tree: Tree, { env, folder }: ComposeInput): ComposeFile {
  const diagnostics: Diagnostic[] = [];
  const lookUp = (name: string): string | undefined => (Object.hasOwn(env, name) ? env[name] : undefined);
  const unnamed: ServiceReading = { project: '', configs: new Map(), lookUp, diagnostics };
  const written = textOf(unnamed, entryOf(tree, 'name')?.node ?? null)?.text;
  const project = projectName(lookUp('COMPOSE_PROJECT_NAME') ?? written ?? folder);
  const include = entryOf(tree, 'include');
  if (include !== null) diagnostics.push(notIncluded(include.key));
  const map = entryOf(tree, 'services')?.node;
  const configs = configFiles(unnamed, entryOf(tree, 'configs')?.node ?? null);
  const reading: ServiceReading = { project, configs, lookUp, diagnostics };
  const all = (map?.kind === 'map' ? [...map.entries] : [])
    .slice(0, maxServices)
    .map(([name, entry]) => readService(reading, name, entry));
  return {
    project,
    services: all,
    gateways: all.filter(isGateway),
    networks: networkNames(reading, entryOf(tree, 'networks')?.node ?? null),
    diagnostics,
  };
}

/** The labels as the Docker API gives them, those of compose itself included. */
export function labelsOf(service: ComposeService, project: string): Record<string, string> {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  labels['com.docker.compose.project'] = project;
  labels['com.docker.compose.service'] = service.name;
  for (const [name, { text }] of service.labels) labels[name] = text;
  return labels;
}

/** The arguments of a gateway, without the program's name where it is written. */
export function gatewayArguments({ command }: ComposeService): readonly PlacedText[] {
  return command[0]?.text === 'traefik' || command[0]?.text === 'portcullis' ? command.slice(1) : command;
}

function isGateway({ image }: ComposeService): boolean {
  const name = image.split('@')[0]?.split('/').at(-1)?.split(':')[0];
  return name === 'traefik' || name === 'portcullis';
}

function networkNames(reading: ServiceReading, node: Tree | null): Map<string, string> {
  const names = new Map([['default', `${reading.project}_default`]]);
  for (const [key, { node: network }] of node?.kind === 'map' ? node.entries : []) {
    const name = textOf(reading, entryOf(network, 'name')?.node ?? null)?.text;
    const external = entryOf(network, 'external')?.node;
    const isExternal = external?.kind === 'scalar' && external.value === true;
    names.set(key, name ?? (isExternal ? key : `${reading.project}_${key}`));
  }
  return names;
}

function configFiles(reading: ServiceReading, node: Tree | null): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, { node: config }] of node?.kind === 'map' ? node.entries : []) {
    const file = textOf(reading, entryOf(config, 'file')?.node ?? null)?.text ?? '';
    if (file !== '') files.set(name, file);
  }
  return files;
}

function projectName(written: string): string {
  return written
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

function notIncluded(where: Place): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.not_followed',
    message: '`include` is not followed: services of those files are not seen here',
    where,
    hint: 'name those files as well, or check what `docker compose config` prints',
  };
}
