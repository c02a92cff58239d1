// One service of a compose file: what of it a gateway sees, each text with its place.

import type { Diagnostic, Place } from '../../../model/diagnostic.ts';
import type { Tree } from '../../tree.ts';
import { commandOf, configsOf, mountsOf, networksOf, portsOf } from './parts.ts';
import { entryOf, textOf } from './reading.ts';
import type { PlacedText, ServiceReading } from './reading.ts';

export interface Mount {
  readonly target: string;
  readonly source: string;
  readonly where?: Place;
}

export interface ComposeService {
  readonly name: string;
  /** `container_name`, else `<project>-<service>-1`. */
  readonly containerName: string;
  readonly image: string;
  readonly where: Place;
  /** In the order written; of one key written twice the last. */
  readonly labels: ReadonlyMap<string, PlacedText>;
  /** TCP ports inside the container, from `expose` and `ports`, ascending. */
  readonly ports: readonly number[];
  /** Names of the networks it joins; empty in another container's or the host's network. */
  readonly networks: readonly string[];
  /** `network_mode`, or null. */
  readonly networkMode: string | null;
  readonly command: readonly PlacedText[];
  readonly environment: ReadonlyMap<string, PlacedText>;
  /** Container path to host path, as written; of one of `configs` that is no file here the host path is empty. */
  readonly mounts: readonly Mount[];
}

export function readService(
  reading: ServiceReading,
  name: string,
  { key, node }: { readonly key: Place; readonly node: Tree },
): ComposeService {
  const at = (part: string): Tree | null => entryOf(node, part)?.node ?? null;
  const text = (part: string): string => textOf(reading, at(part))?.text ?? '';
  noticeUnfollowed(reading, name, node);
  noticeDeployLabels(reading, name, at('deploy'));
  const containerName = text('container_name');
  const networkMode = text('network_mode');
  return {
    name,
    containerName: containerName === '' ? `${reading.project}-${name}-1` : containerName,
    image: text('image'),
    where: key,
    labels: assignments(reading, at('labels'), 'label'),
    ports: portsOf(reading, at('expose'), at('ports')),
    networks: networkMode === '' ? networksOf(at('networks')) : [],
    networkMode: networkMode === '' ? null : networkMode,
    command: commandOf(reading, at('command')),
    environment: assignments(reading, at('environment'), 'variable'),
    mounts: [...mountsOf(reading, at('volumes')), ...configsOf(reading, at('configs'))],
  };
}

function noticeUnfollowed({ diagnostics }: ServiceReading, name: string, node: Tree): void {
  for (const part of ['extends', 'label_file']) {
    const entry = entryOf(node, part);
    if (entry === null) continue;
    diagnostics.push({
      severity: 'warning',
      code: 'config.not_followed',
      message: `\`${part}\` of the service ${name} is not followed: labels that come from there are not seen here`,
      where: entry.key,
      hint: 'check what `docker compose config` prints instead',
    });
  }
}

function noticeDeployLabels({ diagnostics }: ServiceReading, name: string, deploy: Tree | null): void {
  const entry = entryOf(deploy, 'labels');
  if (entry === null) return;
  const { node } = entry;
  const keys =
    node.kind === 'map'
      ? [...node.entries.keys()]
      : node.kind === 'list'
        ? node.items.map((item) => (item.kind === 'scalar' ? String(item.value) : ''))
        : [];
  if (!keys.some((key) => key.toLowerCase().startsWith('traefik.'))) return;
  diagnostics.push({
    severity: 'warning',
    code: 'config.deploy_labels',
    message: `labels under \`deploy\` are for Swarm, which is not supported: the container of ${name} does not carry them`,
    where: entry.key,
    hint: `move them to \`services.${name}.labels\``,
  });
}

/** `labels` or `environment`: a list of `k=v`, or a map. */
function assignments(
  reading: ServiceReading,
  node: Tree | null,
  what: 'label' | 'variable',
): Map<string, PlacedText> {
  const found = new Map<string, PlacedText>();
  if (node?.kind === 'map') {
    for (const [name, { key, node: value }] of node.entries) {
      if (name.includes('${')) reading.diagnostics.push(mapKey(name, key, what));
      const text = textOf(reading, value)?.text ?? '';
      found.set(name, { text, where: { ...key, path: name } });
    }
  } else if (node?.kind === 'list') {
    for (const item of node.items) addAssignment(reading, found, item, what);
  } else if (node !== null && !(node.kind === 'scalar' && node.value === null)) {
    reading.diagnostics.push(notReadable(node, `${what}s are a list of \`name=value\`, or a map`));
  }
  return found;
}

function addAssignment(
  reading: ServiceReading,
  found: Map<string, PlacedText>,
  item: Tree,
  what: 'label' | 'variable',
): void {
  if (item.kind !== 'scalar') {
    reading.diagnostics.push(
      notReadable(item, `an item of a list of ${what}s must be one text, \`- "name=value"\``),
    );
    return;
  }
  // The name may come out of a variable as well: first the whole text, then the first equals sign.
  const whole = textOf(reading, item)?.text ?? '';
  const equals = whole.indexOf('=');
  const name = equals === -1 ? whole : whole.slice(0, equals);
  const inherited = what === 'variable' ? (reading.lookUp(name) ?? '') : '';
  const text = equals === -1 ? inherited : whole.slice(equals + 1);
  const before = found.get(name);
  if (before !== undefined && before.text !== text) {
    reading.diagnostics.push({
      severity: 'warning',
      code: what === 'label' ? 'config.duplicate_label' : 'config.duplicate_variable',
      message: `the ${what} \`${name.slice(0, 160)}\` is written twice with different values: the last one counts`,
      where: { ...item.where, path: name },
      hint: 'keep one of them; several values of a list stand in one label, separated by commas',
      related: [before.where],
    });
  }
  found.delete(name);
  found.set(name, { text, where: { ...item.where, path: name } });
}

function mapKey(name: string, where: Place, what: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.interpolation',
    message: `\`${name.slice(0, 160)}\`: compose puts no variables into the keys of a map`,
    where,
    hint: `write the ${what}s as a list: \`- "name=value"\``,
  };
}

function notReadable(node: Tree, message: string): Diagnostic {
  return { severity: 'error', code: 'config.type', message, where: node.where };
}
