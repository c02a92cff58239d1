// What the aliases of a YAML document stand for.

import { isAlias, isNode, visit } from 'yaml';
import type { Alias, Document, Node } from 'yaml';

/**
 * The node behind each alias; one without an anchor before it is not there. In one walk: the parser's own way looks
 * through the whole document for each alias, 20 s for 16,000 of them.
 */
export function aliasTargets(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
    } else if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  return targets;
}
