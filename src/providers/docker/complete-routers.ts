// The routers of one container's labels: default rule, service, and the router that nobody named.

import { nearest } from '../../config/decode/unknown-keys.ts';
import { isOn } from '../../config/decode/values.ts';
import { unsupported } from '../../config/dynamic/load.ts';
import { child } from '../../config/dynamic/tree-access.ts';
import type { MapNode, Tree } from '../../config/tree.ts';
import type { Place } from '../../model/diagnostic.ts';
import { names } from './complete-services.ts';
import type { Completion } from './completion.ts';
import { breakObject } from './completion.ts';
import type { Container } from './container.ts';
import type { DefaultRule } from './default-rule.ts';
import { emptyMap, textNode, without, withEntry } from './tree-edit.ts';

export interface RouterInput {
  readonly container: Container;
  /** Name of the router when labels name none. */
  readonly byDefault: string;
  readonly services: readonly string[];
  /** Null: the template cannot be read, which is told elsewhere. */
  readonly defaultRule: DefaultRule | null;
  /** Middleware labels and no router: probably nobody wants to be published. */
  readonly hasMiddlewares: boolean;
}

export function completeRouters(written: MapNode, input: RouterInput, completion: Completion): MapNode {
  const { container, services, byDefault } = input;
  const here: Place = { source: container.name };
  let routers = written;
  if (names(written).length === 0) {
    if (services.length > 1) {
      const message = `no router was made for the container: it has ${services.length} services and no router label`;
      const hint = 'write traefik.http.routers.<name>.rule and .service for each';
      completion.diagnostics.push({
        severity: 'warning',
        code: 'docker.no_router',
        message,
        where: here,
        hint,
      });
      return written;
    }
    routers = withEntry(emptyMap(here), byDefault, emptyMap(here));
    if (input.hasMiddlewares) {
      const message = `the container names middlewares and no router: the router ${byDefault} is made with the default rule`;
      completion.diagnostics.push({ severity: 'info', code: 'docker.default_router', message, where: here });
    }
  }
  const ruled = names(routers).filter((name) => text(routers.entries.get(name)?.node, 'rule') !== '');
  const entries = new Map(routers.entries);
  for (const name of names(routers)) {
    const node = routers.entries.get(name)?.node as Tree;
    const router = asMap(node);
    // A text where options are due: decoding says so.
    if (router === null) continue;
    let done: MapNode | null = refuseParents(name, router, completion);
    if (text(done, 'rule') === '') done = withDefaultRule(name, done, { input, ruled }, completion);
    if (done === null) entries.delete(name);
    else entries.set(name, { key: done.where, node: linked(name, done, services, completion) });
  }
  return { ...routers, entries };
}

/** `routers.x=true` is a router without a word. */
function asMap(node: Tree): MapNode | null {
  if (node.kind === 'map') return node;
  return node.kind === 'scalar' && (isOn(node.value) || node.value === '') ? emptyMap(node.where) : null;
}

function text(node: Tree | undefined, key: string): string {
  const found = node === undefined ? null : child(node, key);
  // Anything but a text is for decoding to judge.
  if (found !== null && found.kind !== 'scalar') return key;
  return found === null ? '' : String(found.value).trim();
}

function refuseParents(name: string, router: MapNode, completion: Completion): MapNode {
  const parents = child(router, 'parentRefs');
  if (parents === null) return router;
  breakObject(completion, 'routers', name, {
    severity: 'error',
    code: unsupported,
    message: 'parentRefs cannot come from labels',
    where: parents.where,
    hint: 'write the router into a file of the file provider',
  });
  return without(router, 'parentRefs');
}

/** Names one is compared with: thousands with thousands would take seconds. */
const maxCompared = 50;

/** Null: there is none, and the router is nowhere. */
function withDefaultRule(
  name: string,
  router: MapNode,
  { input, ruled }: { readonly input: RouterInput; readonly ruled: readonly string[] },
  { diagnostics }: Completion,
): MapNode | null {
  const { container, defaultRule } = input;
  const where = router.where;
  if (defaultRule === null) return null;
  const made = defaultRule(container);
  if ('problem' in made || made.rule === '') {
    const why = 'problem' in made ? `the default rule cannot be made: ${made.problem}` : 'Undefined rule';
    diagnostics.push({
      severity: 'error',
      code: 'docker.default_rule',
      message: `router ${name} is left out: ${why}`,
      where,
      hint: `write the label traefik.http.routers.${name}.rule`,
    });
    return null;
  }
  if (ruled.length > 0) {
    const near = nearest(name, ruled.slice(0, maxCompared));
    diagnostics.push({
      severity: 'warning',
      code: 'docker.default_rule',
      message: `router ${name} has no rule of its own: the default rule ${made.rule.slice(0, 120)} is used`,
      where,
      hint:
        near === null
          ? `the rules stand at ${ruled.slice(0, 5).join(', ')}`
          : `did you mean the router ${near}?`,
    });
  }
  return withEntry(router, 'rule', textNode(made.rule, where));
}

function linked(name: string, router: MapNode, services: readonly string[], completion: Completion): MapNode {
  if (text(router, 'service') !== '') return router;
  const [only] = services;
  if (only !== undefined && services.length === 1)
    return withEntry(router, 'service', textNode(only, router.where));
  breakObject(completion, 'routers', name, {
    severity: 'error',
    code: 'docker.no_service',
    message: `router ${name} cannot be linked automatically with several services: ${services.slice(0, 10).join(', ')}`,
    where: router.where,
    hint: `write the label traefik.http.routers.${name}.service`,
  });
  return router;
}
