// A manifest of Kubernetes where a file of ours is expected: people copy them from the same documentation.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';

/** One error instead of one for each of its keys; null when it is none. */
export function kubernetesManifest(tree: Tree | null): Diagnostic | null {
  if (tree?.kind !== 'map' || !tree.entries.has('apiVersion')) return null;
  const kind = tree.entries.get('kind');
  if (kind?.node.kind !== 'scalar' || typeof kind.node.value !== 'string') return null;
  return manifestProblem(kind.node.value, kind.key);
}

export function manifestProblem(kind: string, where: Place): Diagnostic {
  return {
    severity: 'error',
    code: 'config.unsupported',
    message: `this is a Kubernetes manifest (${kind.slice(0, 80)}): nothing of it is read`,
    where,
    hint: insteadOf(kind),
  };
}

function insteadOf(kind: string): string {
  if (/^Ingress(?:Route)?$/.test(kind))
    return 'write its rules as `http.routers` and its services, with the URLs of their servers, as `http.services`';
  if (kind === 'Middleware') return 'write what stands under `spec` under `http.middlewares.<name>`';
  if (kind === 'TLSOption') return 'write what stands under `spec` under `tls.options.<name>`';
  if (kind === 'ServersTransport')
    return 'write what stands under `spec` under `http.serversTransports.<name>`';
  return 'write routers, services and middlewares under `http`';
}
