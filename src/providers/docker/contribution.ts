// One container's labels → its part of the configuration.

import { loadDynamic, unsupported } from '../../config/dynamic/load.ts';
import type { DynamicConfig, Written } from '../../config/dynamic/provider-config.ts';
import { emptyConfig } from '../../config/dynamic/provider-config.ts';
import { nearest } from '../../config/decode/unknown-keys.ts';
import { ruleErrors } from '../../config/dynamic/rule-errors.ts';
import { child } from '../../config/dynamic/tree-access.ts';
import { withLabelHint } from '../../config/sources/labels/hints.ts';
import type { LabelsRead } from '../../config/sources/labels.ts';
import type { MapNode, Tree } from '../../config/tree.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import type { AddressContext } from './address.ts';
import { completeRouters } from './complete-routers.ts';
import { completeServices, names } from './complete-services.ts';
import type { Completion } from './completion.ts';
import { newCompletion } from './completion.ts';
import type { Container } from './container.ts';
import type { DefaultRule } from './default-rule.ts';
import { baseName } from './names.ts';
import { emptyMap, mapIn, withEntry, without } from './tree-edit.ts';

export interface Contribution {
  readonly container: Container;
  /** Null: the container is left out. */
  readonly config: DynamicConfig | null;
  /** False: the labels have errors; what could be read keeps its place. */
  readonly decodes: boolean;
  /** `decodes`, and every rule can be read. */
  readonly sound: boolean;
  /** Rules that cannot be read: resolving tells them too, but only of the labels that are used in the end. */
  readonly ruleErrors: readonly Diagnostic[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface ContributionContext {
  readonly ruleSyntax: RuleSyntax;
  readonly addresses: AddressContext;
  readonly defaultRule: DefaultRule | null;
}

/** `isServing` false: the definitions without the server. */
export function contributionOf(
  container: Container,
  read: LabelsRead,
  isServing: boolean,
  context: ContributionContext,
): Contribution {
  const completion = newCompletion();
  completion.diagnostics.push(...read.diagnostics);
  if (!read.diagnostics.every(isTolerable)) return leftOut(container, completion, false);
  const here = { source: container.name };
  const root = read.tree?.kind === 'map' ? read.tree : emptyMap(here);
  const isOtherwise = refuseProtocols(root, completion);
  const http = withoutTransports(child(root, 'http'), container, completion);
  // What a key nobody knows was meant to guard, nobody knows either: not even the default router may be made.
  if (!hasOnlySections(http, completion)) return leftOut(container, completion, false);
  const sections = sectionNames.map((name) => mapIn(child(http, name), here));
  const [routers, services, middlewares] = sections as [MapNode, MapNode, MapNode];
  if (isOtherwise && sections.every((section) => section.entries.size === 0)) {
    const config = emptyConfig(container.name);
    return {
      container,
      config,
      decodes: true,
      sound: true,
      ruleErrors: [],
      diagnostics: completion.diagnostics,
    };
  }
  const byDefault = baseName(container);
  const { addresses, defaultRule, ruleSyntax } = context;
  const served = completeServices(services, { container, isServing, byDefault, addresses }, completion);
  if (served === null) return leftOut(container, completion, true);
  const input = {
    container,
    byDefault,
    services: names(served),
    defaultRule,
    hasMiddlewares: middlewares.entries.size > 0,
  };
  const routed = completeRouters(routers, input, completion);
  const complete = withSection(withSection(http, 'routers', routed), 'services', served);
  const tls = child(root, 'tls');
  let tree = withEntry(emptyMap(here), 'http', complete);
  if (tls !== null) tree = withEntry(tree, 'tls', tls);
  const loaded = loadDynamic(tree, container.name);
  const diagnostics = [...completion.diagnostics, ...loaded.diagnostics].map(withLabelHint);
  const config = withBroken(loaded.config, completion);
  const decodes = diagnostics.every(isTolerable);
  const rules = ruleErrors(config, ruleSyntax);
  return { container, config, decodes, sound: decodes && rules.length === 0, ruleErrors: rules, diagnostics };
}

function isTolerable({ severity, code }: Diagnostic): boolean {
  return severity !== 'error' || code === unsupported;
}

function leftOut(container: Container, { diagnostics }: Completion, decodes: boolean): Contribution {
  return { container, config: null, decodes, sound: false, ruleErrors: [], diagnostics };
}

/** Whether there are TCP or UDP objects. */
function refuseProtocols(root: MapNode, { diagnostics }: Completion): boolean {
  let found = false;
  for (const protocol of ['tcp', 'udp']) {
    const node = child(root, protocol);
    if (node === null) continue;
    found ||= child(node, 'routers') !== null || child(node, 'services') !== null;
    diagnostics.push({
      severity: 'error',
      code: unsupported,
      message: `${protocol.toUpperCase()} routers and services are not supported: these labels are left out`,
      where: node.where,
    });
  }
  return found;
}

function withoutTransports(node: Tree | null, container: Container, { diagnostics }: Completion): MapNode {
  const http = node?.kind === 'map' ? node : emptyMap({ source: container.name });
  const transports = child(http, 'serversTransports');
  if (transports === null) return http;
  diagnostics.push({
    severity: 'error',
    code: unsupported,
    message: 'serversTransports cannot come from labels: these are left out',
    where: transports.where,
    hint: 'write them into a file of the file provider, and name them with @file in loadbalancer.serverstransport',
  });
  return without(http, 'serversTransports');
}

const sectionNames = ['routers', 'services', 'middlewares'] as const;

function hasOnlySections(http: MapNode, { diagnostics }: Completion): boolean {
  let isKnown = true;
  for (const [name, { key, node }] of http.entries) {
    if (sectionNames.some((section) => section === name.toLowerCase()) && node.kind === 'map') continue;
    isKnown = false;
    const near = nearest(name, sectionNames);
    diagnostics.push(
      withLabelHint({
        severity: 'error',
        code: 'config.unknown_key',
        message:
          node.kind === 'map'
            ? `unknown key "${name.slice(0, 80)}" under http: the container is left out`
            : `http.${name.slice(0, 80)} must be followed by a name and an option: the container is left out`,
        where: key,
        hint: near === null ? `http has ${sectionNames.join(', ')}` : `did you mean \`${near}\`?`,
      }),
    );
  }
  return isKnown;
}

/** An empty section would be an element that stands alone. */
function withSection(http: MapNode, name: string, section: MapNode): MapNode {
  return names(section).length === 0 ? without(http, name) : withEntry(http, name, section);
}

function withBroken(config: DynamicConfig, { broken }: Completion): DynamicConfig {
  if (broken.routers.size === 0 && broken.services.size === 0) return config;
  return {
    ...config,
    routers: marked(config.routers, broken.routers),
    services: marked(config.services, broken.services),
  };
}

function marked<T>(
  objects: ReadonlyMap<string, Written<T>>,
  broken: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Written<T>> {
  return new Map(
    [...objects].map(([name, written]) => [
      name,
      { ...written, errors: [...written.errors, ...(broken.get(name) ?? [])] },
    ]),
  );
}
