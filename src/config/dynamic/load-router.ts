// One router's tree → its settings. What cannot be read keeps its rule, so that its place answers 503.

import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MapNode, Tree } from '../tree.ts';
import { objectDecoder } from './decode-object.ts';
import type { RouterConfig } from './schema.ts';
import { routerSchema } from './schema.ts';
import { placeOf } from './tree-access.ts';

const decodeRouter = objectDecoder('routers', routerSchema);

export function loadRouter(name: string, node: Tree, diagnostics: Diagnostic[]): RouterConfig {
  const decoded = decodeRouter(name, node);
  diagnostics.push(...decoded.diagnostics);
  const router = decoded.value ?? salvage(node);
  if (router.parentRefs !== undefined) {
    const message = 'parentRefs (routers below routers) are not supported';
    diagnostics.push({
      severity: 'error',
      code: 'config.unsupported',
      message,
      where: placeOf(node, ['parentRefs']),
    });
  }
  return router;
}

/** The keys that decide where a router stands. */
const placing = ['rule', 'ruleSyntax', 'priority', 'entryPoints', 'tls', 'service'] as const;

function salvage(node: Tree): RouterConfig {
  const kept: Record<string, unknown> = {};
  for (const name of placing) {
    const part = only(node, name);
    const read = part === null ? null : decodeRouter('x', part).value;
    if (read !== null) kept[name] = read[name];
    // A tls section nobody can read still says on which side of the port the router is.
    else if (name === 'tls' && part !== null) kept['tls'] = {};
  }
  return { rule: '', priority: 0n, middlewares: [], ...kept } as RouterConfig;
}

function only(node: Tree, name: string): MapNode | null {
  if (node.kind !== 'map') return null;
  const entries = [...node.entries].filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return entries.length === 0 ? null : { ...node, entries: new Map(entries) };
}
