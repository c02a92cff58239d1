// Probe: what the kernel is told, as far as connections are lost by it; `ops/sysctl.conf` has all of it.

import { readFileSync } from 'node:fs';
import type { Finding } from './finding.ts';
import type { Scene } from './scene.ts';

/** What a listener asks for; a smaller bound of the kernel's cuts it. */
const backlog = 512;
const fewPorts = 20_000;
const conf = 'ops/sysctl.conf';

export function probeKernel({ resolved }: Scene): Finding[] {
  if (process.platform !== 'linux') return [];
  const found = [...migration(), ...queue(), ...ports(resolved?.entryPoints.map(({ port }) => port) ?? [])];
  return found.length > 0 ? found : [{ level: 'ok', says: `as in ${conf}, where connections depend on it` }];
}

function migration(): Finding[] {
  if (setting('net.ipv4.tcp_migrate_req') !== '0') return [];
  const says = 'net.ipv4.tcp_migrate_req is 0: who connects while workers are replaced may be cut off';
  return [{ level: 'warning', says, fix: fixOf('net.ipv4.tcp_migrate_req=1') }];
}

function queue(): Finding[] {
  const most = setting('net.core.somaxconn');
  if (most === null || Number(most) >= backlog) return [];
  const says = `net.core.somaxconn is ${most}: of ${backlog} that come at once some wait for a second`;
  return [{ level: 'warning', says, fix: fixOf('net.core.somaxconn=4096') }];
}

function ports(own: readonly number[]): Finding[] {
  const [low, high] = (setting('net.ipv4.ip_local_port_range') ?? '').split(/\s+/).map(Number);
  if (low === undefined || high === undefined) return [];
  const found: Finding[] = [];
  const range = `net.ipv4.ip_local_port_range is ${low} to ${high}`;
  if (high - low + 1 < fewPorts)
    found.push({
      level: 'warning',
      says: `${range}: connections to one server run out of ports`,
      fix: fixOf('net.ipv4.ip_local_port_range="10240 65535"'),
    });
  const reserved = readReserved();
  const within = own.filter(
    (port) => port >= low && port <= high && !reserved.some(([from, to]) => port >= from && port <= to),
  );
  if (within.length > 0)
    found.push({
      level: 'warning',
      says: `${range}, and ${within.join(', ')} of the entry points lie in it: an outgoing connection may have the port at the next start`,
      fix: fixOf(`net.ipv4.ip_local_reserved_ports=${within.join(',')}`),
    });
  return found;
}

function readReserved(): [number, number][] {
  return (setting('net.ipv4.ip_local_reserved_ports') ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return [from, to];
    });
}

/** Null where this kernel has none, or does not show it. */
function setting(name: string): string | null {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
  } catch {
    return null;
  }
}

function fixOf(line: string): string {
  return `\`sysctl -w ${line}\`; ${conf} has the rest`;
}
