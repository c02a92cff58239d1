// The container this process runs in, if it runs in one.

import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Container } from './container.ts';

/** The names of the networks the gateway is on; empty outside of a container and on the host's network. */
export function ownNetworks(containers: readonly Container[], own: string | null): string[] {
  if (own === null) return [];
  const self = containers.find(({ id }) => id.startsWith(own));
  if (self === undefined || self.networkMode === 'host') return [];
  return self.networks.filter(({ ipv4, ipv6 }) => ipv4 !== '' || ipv6 !== '').map(({ name }) => name);
}

/** Where the host's own ports are, outside of a container. */
export const defaultHostAddress = '127.0.0.1';

/** Where the host's ports are seen from here: the names engines give it, in Traefik's order. Never rejects. */
export async function findHostAddress(own: string | null): Promise<string> {
  if (own === null) return defaultHostAddress;
  for (const name of ['host.docker.internal', 'host.containers.internal']) {
    // oxlint-disable-next-line no-await-in-loop -- the first that is found
    const found = await lookup(name, { family: 4 }).catch(() => null);
    if (found !== null) return found.address;
  }
  return defaultHostAddress;
}

/** Id or its first twelve digits; null: not in a container, as far as can be told. */
export function ownContainerId(): string | null {
  return idFromMounts(mounts()) ?? idFromHostname(hostname());
}

/** The engine mounts these files from the container's own directory, with any version of control groups. */
export function idFromMounts(mountinfo: string): string | null {
  for (const line of mountinfo.split('\n')) {
    const [, , , root, target] = line.split(' ');
    if (target !== '/etc/hostname' && target !== '/etc/hosts' && target !== '/etc/resolv.conf') continue;
    const id = /containers\/([0-9a-f]{64})\//.exec(root ?? '')?.[1];
    if (id !== undefined) return id;
  }
  return null;
}

function idFromHostname(name: string): string | null {
  return /^[0-9a-f]{12}$/.test(name) ? name : null;
}

function mounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
