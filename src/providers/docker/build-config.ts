// All containers → one provider's configuration, and everything that is wrong with any of them.

import { parseConstraints } from '../../config/constraints.ts';
import type { Constraint } from '../../config/constraints.ts';
import type { ProviderConfig } from '../../config/dynamic/provider-config.ts';
import { labelsToTree } from '../../config/sources/labels.ts';
import type { LabelsRead } from '../../config/sources/labels.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Container } from './container.ts';
import { contributionOf } from './contribution.ts';
import type { Contribution, ContributionContext } from './contribution.ts';
import { compileDefaultRule } from './default-rule.ts';
import type { DefaultRule } from './default-rule.ts';
import { sortKey } from './names.ts';
import type { DockerSettings, LastGood } from './settings.ts';
import { unite } from './unite.ts';

/** Names kept in a `LastGood`. */
const maxLastGood = 1000;

/**
 * Pure but for `lastGood`, which it reads and keeps. `containers` are all there are, also those that are not to be
 * published: one may share the network of another. Their order means nothing. One bad container never affects
 * another. Never throws.
 */
export function buildDockerConfig(
  containers: readonly Container[],
  settings: DockerSettings,
  lastGood: LastGood,
): { config: ProviderConfig; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const build: Build = {
    settings,
    lastGood,
    diagnostics,
    constraint: constraintOf(settings, diagnostics),
    context: contextOf(containers, settings, diagnostics),
  };
  const parts: { readonly config: NonNullable<Contribution['config']>; readonly isWeak: boolean }[] = [];
  for (const container of inOrder(containers)) {
    const { config, decodes } = partOf(container, build) ?? nothing;
    if (config !== null) parts.push({ config, isWeak: !decodes });
  }
  const config = { provider: 'docker', parts: unite(parts, diagnostics) };
  return { config, diagnostics: withoutRepeats(diagnostics) };
}

const nothing = { config: null, decodes: false };

interface Build {
  readonly settings: DockerSettings;
  readonly lastGood: LastGood;
  readonly diagnostics: Diagnostic[];
  /** Null: it can't be read, and no container fits. */
  readonly constraint: Constraint | null;
  readonly context: ContributionContext;
}

function constraintOf({ constraints }: DockerSettings, diagnostics: Diagnostic[]): Constraint | null {
  const parsed = parseConstraints(constraints);
  if (parsed.ok) return parsed.matches;
  const message = `the constraints cannot be read, so no container is published: ${parsed.message}`;
  const { hint } = parsed;
  const where = { source: 'static configuration', path: 'providers.docker.constraints' };
  diagnostics.push({
    severity: 'error',
    code: 'docker.constraints',
    message,
    where,
    ...(hint === undefined ? {} : { hint }),
  });
  return null;
}

function contextOf(
  containers: readonly Container[],
  settings: DockerSettings,
  diagnostics: Diagnostic[],
): ContributionContext {
  const compiled = compileDefaultRule(settings.defaultRule, settings.env);
  let defaultRule: DefaultRule | null = null;
  if ('render' in compiled) defaultRule = compiled.render;
  else {
    const message = `the default rule cannot be read, so routers without a rule are left out: ${compiled.problem}`;
    const where = { source: 'static configuration', path: 'providers.docker.defaultRule' };
    diagnostics.push({ severity: 'error', code: 'docker.default_rule', message, where });
  }
  return {
    ruleSyntax: settings.ruleSyntax,
    defaultRule,
    addresses: {
      settings,
      networkOf: networkLabels(),
      find: (reference) =>
        containers.find(({ id, name }) => id === reference || name === reference) ??
        (reference.length < 12 ? undefined : containers.find(({ id }) => id.startsWith(reference))) ??
        null,
    },
  };
}

/** Each container's labels are read once, however many services ask; as many are kept as there are containers. */
function networkLabels(): (container: Container) => string | null {
  const known = new Map<Container, string | null>();
  return (container) => {
    const before = known.get(container);
    if (before !== undefined) return before;
    const { network } = labelsToTree(container.labels, container.name).provider;
    known.set(container, network);
    return network;
  };
}

function inOrder(containers: readonly Container[]): Container[] {
  return containers
    .map((container) => ({ key: sortKey(container), container }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ container }) => container);
}

/** Null: it is not to be published. */
function partOf(container: Container, build: Build): Contribution | null {
  const { settings, diagnostics, constraint, context } = build;
  const read = labelsToTree(container.labels, container.name);
  if (!read.provider.sound) {
    diagnostics.push(...read.diagnostics);
    return null;
  }
  if (!(read.provider.enable ?? settings.exposedByDefault)) {
    if (read.provider.enable === null) diagnostics.push(...forgotten(container, read));
    return null;
  }
  if (constraint === null || !constraint(container.labels)) return null;
  const isRunning = container.state === 'running';
  const isHealthy = ['', 'none', 'healthy'].includes(container.health);
  const isKept = read.provider.allowNonRunning || (isRunning && (isHealthy || settings.allowEmptyServices));
  if (!isKept) return null;
  const isServing = isRunning && isHealthy;
  const found = contributionOf(container, read, isServing, context);
  diagnostics.push(...found.diagnostics);
  if (found.sound || (found.config === null && found.decodes)) return remembered(container, found, build);
  const earlier = older(container, isServing, build);
  if (earlier !== null) diagnostics.push(...found.ruleErrors);
  return earlier ?? found;
}

function remembered(container: Container, found: Contribution, { lastGood }: Build): Contribution {
  if (!found.sound) return found;
  lastGood.delete(container.name);
  lastGood.set(container.name, container.labels);
  const oldest = lastGood.size > maxLastGood ? lastGood.keys().next().value : undefined;
  if (oldest !== undefined) lastGood.delete(oldest);
  return found;
}

/** The container by the labels it last had without an error; null when there are none. */
function older(
  container: Container,
  isServing: boolean,
  { lastGood, context, diagnostics }: Build,
): Contribution | null {
  const labels = lastGood.get(container.name);
  if (labels === undefined) return null;
  const earlier = { ...container, labels };
  const found = contributionOf(earlier, labelsToTree(labels, container.name), isServing, context);
  if (!found.sound) return null;
  diagnostics.push({
    severity: 'warning',
    code: 'docker.last_good',
    message: 'the labels have errors: those the container of this name had before are used',
    where: { source: container.name },
  });
  return found;
}

/** Labels for a gateway that was never told to read them. */
function forgotten(container: Container, { tree, diagnostics }: LabelsRead): Diagnostic[] {
  const where = { source: container.name };
  const misspelt = diagnostics.filter(
    ({ code, severity }) => code === 'config.ignored_label' && severity === 'warning',
  );
  if (tree === null) return misspelt;
  const message =
    'the container has labels of routers or services and is not published: exposedByDefault is false';
  const hint = 'write the label traefik.enable=true';
  return [...misspelt, { severity: 'warning', code: 'docker.not_enabled', message, where, hint }];
}

function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { source, path } = diagnostic.where;
    const key = JSON.stringify([diagnostic.code, diagnostic.message, source, path]);
    if (!seen.has(key)) seen.set(key, diagnostic);
  }
  return [...seen.values()];
}
