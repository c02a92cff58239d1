// The names that objects get from their container.

import type { Container } from './container.ts';

/** Every run of characters that are neither letters nor digits becomes `-`; none at the ends. */
export function normalize(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
}

/** Of the service and the router that nobody named: compose service and project, else the container's name. */
export function baseName({ name, labels }: Container): string {
  const service = labels['com.docker.compose.service'];
  const project = labels['com.docker.compose.project'];
  return normalize(service !== undefined && project !== undefined ? `${service}_${project}` : name);
}

/** Decides which container comes first where several define one name. */
export function sortKey(container: Container): string {
  return `${baseName(container)}-${container.id}`;
}
