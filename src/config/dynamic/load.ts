// A dynamic file's tree → its objects, each decoded by itself: one broken object leaves the others alone.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { RuleSyntax } from '../../model/snapshot.ts';
import { checkRule } from '../../rules/check.ts';
import { kubernetesManifest } from '../sources/manifest.ts';
import type { MapNode, Tree } from '../tree.ts';
import { isNothing } from '../decode/values.ts';
import { staticRoots } from '../static/keys.ts';
import { lintWritten } from './lint-written.ts';
import { type LoadMemory, loadEach, mustBeMap } from './load-each.ts';
import { loadMiddleware } from './load-middleware.ts';
import { loadRouter } from './load-router.ts';
import { loadService } from './load-service.ts';
import { loadTls } from './load-tls.ts';
import { loadTransport } from './load-transport.ts';
import type { DynamicConfig } from './provider-config.ts';
import { emptyConfig, emptyTls } from './provider-config.ts';
import { child } from './tree-access.ts';

export interface Loaded {
  readonly config: DynamicConfig;
  readonly diagnostics: readonly Diagnostic[];
  /** False when something was wrong beyond a feature that isn't there yet: an older good content is better. */
  readonly sound: boolean;
}

/** Refused by name, or missing from this version: the rest of the file still works. */
export const unsupported = 'config.unsupported';

/** `tree` null is an empty file. What `memory` knows is not decoded again. */
export function loadDynamic(tree: Tree | null, source: string, memory: LoadMemory | null = null): Loaded {
  const diagnostics: Diagnostic[] = [];
  const config = tree === null ? emptyConfig(source) : loadRoot(tree, source, diagnostics, memory);
  return { config, diagnostics, sound: diagnostics.every(isTolerable) };
}

/** Whether every rule that is written can be read. `ruleSyntax` is for routers that name none. */
export function rulesParse(config: DynamicConfig, ruleSyntax: RuleSyntax): boolean {
  return [...config.routers.values()].every(
    ({ value }) => value.rule === '' || checkRule(value.rule, value.ruleSyntax ?? ruleSyntax).ok,
  );
}

function isTolerable(diagnostic: Diagnostic): boolean {
  return diagnostic.severity !== 'error' || diagnostic.code === unsupported;
}

/** Top-level keys of the static configuration: one file may hold both kinds. */
const staticRootKeys = new Set(staticRoots().map((root) => root.toLowerCase()));

function loadRoot(
  tree: Tree,
  source: string,
  diagnostics: Diagnostic[],
  memory: LoadMemory | null,
): DynamicConfig {
  let config = emptyConfig(source);
  if (tree.kind !== 'map') {
    if (isNothing(tree)) return config;
    diagnostics.push(mustBeMap(tree, 'the file', 'a map with the keys http and tls'));
    return config;
  }
  const manifest = kubernetesManifest(tree);
  if (manifest !== null) {
    diagnostics.push(manifest);
    return config;
  }
  for (const [name, { key, node }] of onceEach(tree, diagnostics)) {
    const root = name.toLowerCase();
    if (root === 'http') {
      config = { ...loadHttp(node, source, diagnostics, memory), tls: config.tls };
    } else if (root === 'tls') {
      config = { ...config, tls: loadTls(node, { diagnostics, memory }) };
    } else if (root === 'tcp' || root === 'udp') {
      if (isNothing(node)) continue;
      const message = `${root} routers and services are not supported: this section is left out`;
      diagnostics.push({ severity: 'error', code: unsupported, message, where: key });
    } else if (staticRootKeys.has(root)) {
      const message = `\`${name}\` is static configuration: it has no effect here, unless the gateway is started with this file`;
      diagnostics.push({ severity: 'info', code: 'config.static_key', message, where: key });
    } else {
      const message = `unknown key "${name.slice(0, 80)}" is left out: a dynamic file has http and tls`;
      diagnostics.push({ severity: 'warning', code: 'config.unknown_key', message, where: key });
    }
  }
  return config;
}

interface Entry {
  readonly key: Place;
  readonly node: Tree;
}

/** The entries without those that repeat a key in another case: which of the two is meant nobody knows. */
function onceEach(map: MapNode, diagnostics: Diagnostic[]): [string, Entry][] {
  const first = new Map<string, Entry>();
  return [...map.entries].filter(([name, entry]) => {
    const before = first.get(name.toLowerCase());
    if (before === undefined) first.set(name.toLowerCase(), entry);
    else {
      diagnostics.push({
        severity: 'error',
        code: 'config.duplicate_key',
        message: `\`${name}\` is written a second time, in another case`,
        where: entry.key,
        hint: 'keys are read in any case: put everything under one of them',
        related: [before.key],
      });
    }
    return before === undefined;
  });
}

const sections = ['routers', 'services', 'middlewares', 'serversTransports'];

function loadHttp(
  http: Tree,
  source: string,
  diagnostics: Diagnostic[],
  memory: LoadMemory | null,
): DynamicConfig {
  const context = { diagnostics, memory };
  if (http.kind !== 'map') {
    if (!isNothing(http)) diagnostics.push(mustBeMap(http, 'http', 'a map'));
    return emptyConfig(source);
  }
  for (const [name, { key }] of onceEach(http, diagnostics)) {
    if (sections.some((section) => section.toLowerCase() === name.toLowerCase())) continue;
    const isMisplaced = /^(tcp|udp|tls)$/i.test(name);
    diagnostics.push({
      severity: 'error',
      code: 'config.unknown_key',
      message: `unknown key "${name.slice(0, 80)}" under http`,
      where: key,
      hint: isMisplaced ? `${name} stands beside http, not under it` : `http has ${sections.join(', ')}`,
    });
  }
  diagnostics.push(...lintWritten(http));
  return {
    source,
    routers: loadEach(child(http, 'routers'), loadRouter, context),
    services: loadEach(child(http, 'services'), loadService, context),
    middlewares: loadEach(child(http, 'middlewares'), loadMiddleware, context),
    transports: loadEach(child(http, 'serversTransports'), loadTransport, context),
    tls: emptyTls,
  };
}
