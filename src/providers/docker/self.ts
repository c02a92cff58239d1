// The container this process runs in, if it runs in one.

import { lookup } from 'node:dns/promises';
import { closeSync, openSync, readSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Container } from './container.ts';

/** The names of the networks the gateway is on; empty outside of a container and on the host's network. */
export function ownNetworks(containers: readonly Container[], own: string | null): string[] {
  const self = selfAmong(containers, own);
  if (self === null || self.networkMode === 'host') return [];
  return self.networks.filter(({ ipv4, ipv6 }) => ipv4 !== '' || ipv6 !== '').map(({ name }) => name);
}

/**
 * `containers`, the one this process runs in counted as running and healthy: that it runs, nobody knows better.
 * Its health check begins an interval after it does and fails while it drains, and what its labels define must
 * be there for all others from the first request to the last.
 */
export function withSoundSelf(containers: readonly Container[], own: string | null): readonly Container[] {
  const self = selfAmong(containers, own);
  if (self === null || (self.state === 'running' && self.health === '')) return containers;
  return containers.map((one) => (one === self ? { ...one, state: 'running', health: '' } : one));
}

/** Null: it is not one of them, or there is more than one it could be. */
function selfAmong(containers: readonly Container[], own: string | null): Container | null {
  if (own === null) return null;
  const [self, ...others] = containers.filter(({ id }) => id.startsWith(own));
  return self === undefined || others.length > 0 ? null : self;
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

/** Bytes; an engine's own mounts come long before the thousands that a program may have made since. */
const maxMountinfo = 1024 * 1024;

function mounts(): string {
  const bytes = Buffer.alloc(maxMountinfo);
  let length = 0;
  let file = -1;
  try {
    file = openSync('/proc/self/mountinfo', 'r');
    for (let read = -1; read !== 0; length += read)
      read = readSync(file, bytes, length, maxMountinfo - length, null);
  } catch {
    // Not Linux, or not to be read: then the name of the machine must do.
  } finally {
    if (file !== -1) closeSync(file);
  }
  return bytes.toString('utf8', 0, length);
}
